"""Test protocols in the reader's language: what stands beside every number."""

import re
from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.evaluation import FULL, MIDDLES, FusionConfig, Protocol
from webapp.choices import name_of

SHORT = re.compile(r"(\d+)x(\d+|full)(?::.+)?")
TESTED = re.compile(r"(\d+) frames? × (\d+) crops?, (.+) averaged")
WHOLE = re.compile(r"(\d+) whole frames?, fully convolutional, (.+) averaged")
GROUPED = re.compile(r"views grouped into videos of (\d+) segments")
HEAD = re.compile(r"head of “(.+)”, one of (\d+)")
SVM = re.compile(r"(\d+) streams fused by a linear SVM \(C = (.+?)\) on (.+?), fitted on: (.+)")
FITTED = re.compile(r"(?:held-out scores, (\d+) folds|(training|validation) scores), (\d+) videos(?:, (\d+) of (\d+) classes missing)?")
FUSED = re.compile(r"(\d+) streams fused: (average|weighted sum)( \([^)]*\))? of (.+)")


def words_of(protocol: Protocol) -> str:
    return translated_description(protocol.describe())


def views_of(short: str) -> str:
    """A protocol's short name in words: `5x1:logits` → “5 frames × 1 crop”; of streams that were tested differently, each one's."""
    return _each(short, lambda one: _views(*found.groups()) if (found := SHORT.fullmatch(one)) else one)


def _each(words: str, said: Callable[[str], str]) -> str:
    """Of streams that were tested differently, what is said of each; once where that reads the same."""
    return " + ".join(dict.fromkeys(map(said, words.split(" + "))))


def _views(frames: str, crops: str) -> str:
    if crops == FULL:
        return ngettext("%(n)d whole frame", "%(n)d whole frames", int(frames)) % {"n": int(frames)}
    counted = {
        "frames": ngettext("%(n)d frame", "%(n)d frames", int(frames)) % {"n": int(frames)},
        "crops": ngettext("%(n)d crop", "%(n)d crops", int(crops)) % {"n": int(crops)},
    }
    return _("%(frames)s × %(crops)s") % counted


def translated_description(description: str) -> str:
    """The engine's description of a protocol, or of a fusion's; a part that is not known stays as it is."""
    return _("; ").join(_each(part, _part) for part in description.split("; "))


def _part(words: str) -> str:
    if tested := TESTED.fullmatch(words):
        frames, crops, what = tested.groups()
        return _("%(views)s, %(what)s averaged") % {"views": _views(frames, crops), "what": _(what)}
    if whole := WHOLE.fullmatch(words):
        frames, what = whole.groups()
        return _("%(views)s, fully convolutional, %(what)s averaged") % {"views": _views(frames, FULL), "what": _(what)}
    if words == MIDDLES:
        return _("frames from the middles of equal parts")
    if grouped := GROUPED.fullmatch(words):
        return _("views grouped into videos of %(segments)s segments") % {"segments": grouped[1]}
    if head := HEAD.fullmatch(words):
        return _("head of “%(dataset)s”, one of %(heads)s") % {"dataset": head[1], "heads": head[2]}
    if fused := FUSED.fullmatch(words):
        streams, how, weights, what = fused.groups()
        how = _("average") if how == "average" else _("weighted sum") + (weights or "")
        return _("%(streams)s streams fused: %(how)s of %(what)s") % {"streams": streams, "how": how, "what": _(what)}
    if svm := SVM.fullmatch(words):
        streams, c, what, fitted = svm.groups()
        parts = {"streams": streams, "c": c, "what": _(what), "fitted": _fitted(fitted)}
        return _("%(streams)s streams fused by a linear SVM (C = %(c)s) on %(what)s, fitted on: %(fitted)s") % parts
    return words


def _fitted(words: str) -> str:
    """What the SVM was fitted on."""
    found = FITTED.fullmatch(words)
    if found is None:
        return words
    folds, subset, videos, missing, classes = found.groups()
    kind = name_of("held_out_folds" if folds else f"{subset}_scores")
    counts = _("%(kind)s, %(videos)s videos") % {"kind": f"{kind}: {folds}" if folds else kind, "videos": videos}
    return counts + (_(", %(missing)s of %(classes)s classes missing") % {"missing": missing, "classes": classes} if missing else "")


def method_words(config: FusionConfig) -> str:
    """`Average`, or `Linear SVM (held-out folds: 5)`."""
    return f"{name_of(config.method)} ({fit_words(config)})" if config.method == "svm" else str(name_of(config.method))


def fit_words(config: FusionConfig) -> str:
    """What the SVM is to be fitted on: `held-out folds: 5`."""
    return f"{name_of(config.fit)}: {config.folds}" if config.fold_runs else str(name_of(config.fit))
