"""Test protocols in the reader's language: what stands beside every number."""

import re

from django.utils.translation import gettext as _

from ml.config.evaluation import Protocol

FUSED = re.compile(r"(?P<streams>\d+) streams fused: (?P<how>average|weighted sum)(?P<weights> \([^)]*\))? of (?P<what>.+)")


def words_of(protocol: Protocol) -> str:
    averaged = _("class probabilities averaged") if protocol.aggregation == "softmax" else _("scores before softmax averaged")
    return _("%(frames)d frames × %(crops)d crops, %(averaged)s") % {
        "frames": protocol.frames,
        "crops": protocol.crops,
        "averaged": averaged,
    }


def translated_description(short: str, description: str) -> str:
    """The engine's description of a protocol or of a fusion's; parts that are not known stay as they are."""
    try:
        protocol = Protocol.parse(short)
    except ValueError:
        return description
    described, *rest = description.replace(protocol.describe(), words_of(protocol)).split("; ")
    return _("; ").join([described, *map(_fused, rest)])


def _fused(words: str) -> str:
    match = FUSED.fullmatch(words)
    if match is None:
        return words
    how = _("average") if match["how"] == "average" else _("weighted sum") + (match["weights"] or "")
    return _("%(streams)s streams fused: %(how)s of %(what)s") % {"streams": match["streams"], "how": how, "what": _(match["what"])}
