"""Test protocols in the reader's language: what stands beside every number."""

import re
from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.evaluation import FULL, MIDDLES, FusionConfig, Protocol
from webapp.choices import name_of

SHORT = re.compile(r"(\d+)x(\d+|full)(?::.+)?")
FITTED = re.compile(r"(?:held-out scores, (\d+) folds|(training|validation) scores), (\d+) videos(?:, (\d+) of (\d+) classes missing)?")


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
    return next((said(*found.groups()) for pattern, said in PARTS.items() if (found := re.fullmatch(pattern, words))), words)


def _tested(frames: str, crops: str, what: str) -> str:
    return _("%(views)s, %(what)s averaged") % {"views": _views(frames, crops), "what": _(what)}


def _whole(frames: str, what: str) -> str:
    return _("%(views)s, fully convolutional, %(what)s averaged") % {"views": _views(frames, FULL), "what": _(what)}


def _middles() -> str:
    return _("frames from the middles of equal parts")


def _grouped(segments: str) -> str:
    return _("views grouped into videos of %(segments)s segments") % {"segments": segments}


def _head(dataset: str, heads: str) -> str:
    return _("head of “%(dataset)s”, one of %(heads)s") % {"dataset": dataset, "heads": heads}


def _fused(streams: str, how: str, weights: str | None, what: str) -> str:
    how = _("average") if how == "average" else _("weighted sum") + (weights or "")
    return _("%(streams)s streams fused: %(how)s of %(what)s") % {"streams": streams, "how": how, "what": _(what)}


def _fused_by_svm(streams: str, c: str, what: str, fitted: str) -> str:
    parts = {"streams": streams, "c": c, "what": _(what), "fitted": _fitted(fitted)}
    return _("%(streams)s streams fused by a linear SVM (C = %(c)s) on %(what)s, fitted on: %(fitted)s") % parts


PARTS: dict[str, Callable[..., str]] = {
    r"(\d+) frames? × (\d+) crops?, (.+) averaged": _tested,
    r"(\d+) whole frames?, fully convolutional, (.+) averaged": _whole,
    re.escape(MIDDLES): _middles,
    r"views grouped into videos of (\d+) segments": _grouped,
    r"head of “(.+)”, one of (\d+)": _head,
    r"(\d+) streams fused: (average|weighted sum)( \([^)]*\))? of (.+)": _fused,
    r"(\d+) streams fused by a linear SVM \(C = (.+?)\) on (.+?), fitted on: (.+)": _fused_by_svm,
}
"""What the engine writes, also with “1 frames” as it did, and who says its parts to the reader."""


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
