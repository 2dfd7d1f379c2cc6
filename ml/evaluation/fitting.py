"""What a fusion's SVM is fitted on: scores of videos that it will not be asked about, best of ones that the networks had not learnt.

A network is surer of its training videos than of any others, so an SVM fitted on their scores trusts it too much. Scores of videos
held out of the training are of the kind that the SVM will meet: those of a run's validation videos, or of K runs, each without one fold of
the training groups. Never of the videos that the fusion is tested on.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ml.errors import BadScores
from ml.evaluation.scores import Scores
from ml.words import Words

FOLDS_ADVICE = "Give the validation scores of one run for each fold, all of the same number of folds."


def joined(parts: Sequence[Scores]) -> Scores:
    """The scores of one stream from several runs, such as those of every fold, as one file.

    Raises:
        BadScores: a fold is missing or there twice, a video is in two of them, or their classes differ.
    """
    first = parts[0]
    _check_folds([part.about for part in parts])
    for part in parts[1:]:
        if list(part.classes) != list(first.classes):
            raise BadScores("The files to fit on have other classes", "Give scores of one dataset.")
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("scores", "labels", "videos", "groups")
    }
    return Scores(**arrays, classes=first.classes, about=first.about)


def _check_folds(abouts: Sequence[dict[str, Any]]) -> None:
    """Every fold is there, and of the same division."""
    divisions = {about.get("folds", 0) for about in abouts}
    if len(divisions) > 1:
        raise BadScores("The files to fit on are of other divisions into folds", FOLDS_ADVICE)
    (folds,) = divisions
    found = sorted(about["fold"] for about in abouts) if folds else []
    if found != list(range(1, folds + 1)):
        raise BadScores("Of {folds} folds, these are there: {found}", FOLDS_ADVICE, folds=folds, found=", ".join(map(str, found)))


def fitted_on(fit: Scores) -> Words:
    """`held-out scores, 5 folds, 96 videos`: what stands beside the number of a fusion."""
    counts = {"kind": _kind(fit.about), "videos": len(fit.videos)}
    if unseen := len(fit.classes) - len(np.unique(fit.labels)):
        text = "{kind}, {videos} videos, {missing} of {classes} classes missing"
        return Words(text, **counts, missing=unseen, classes=len(fit.classes))
    return Words("{kind}, {videos} videos", **counts)


KINDS = {"train": Words("training scores"), "validation": Words("validation scores")}


def _kind(about: dict[str, Any]) -> Words:
    if folds := about.get("folds"):
        return Words("held-out scores, {folds} folds", folds=folds)
    subset = str(about.get("subset") or "?")
    return KINDS.get(subset, Words("scores of other videos ({subset})", subset=subset))
