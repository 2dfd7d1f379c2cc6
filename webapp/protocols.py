"""Test protocols in the reader's language: what stands beside every number."""

import re

from django.utils.translation import gettext as _

from ml.config.evaluation import Protocol

TESTED = re.compile(r"(\d+) frames × (\d+) crops, (.+) averaged")
FUSED = re.compile(r"(\d+) streams fused: (average|weighted sum)( \([^)]*\))? of (.+)")


def words_of(protocol: Protocol) -> str:
    return translated_description(protocol.describe())


def translated_description(description: str) -> str:
    """The engine's description of a protocol, or of a fusion's; a part that is not known stays as it is."""
    return _("; ").join(map(_part, description.split("; ")))


def _part(words: str) -> str:
    if tested := TESTED.fullmatch(words):
        frames, crops, what = tested.groups()
        return _("%(frames)s frames × %(crops)s crops, %(what)s averaged") % {"frames": frames, "crops": crops, "what": _(what)}
    if fused := FUSED.fullmatch(words):
        streams, how, weights, what = fused.groups()
        how = _("average") if how == "average" else _("weighted sum") + (weights or "")
        return _("%(streams)s streams fused: %(how)s of %(what)s") % {"streams": streams, "how": how, "what": _(what)}
    return words
