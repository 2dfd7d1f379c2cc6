"""Streams → one score: average, weighted sum, or a linear SVM on the stacked scores (Simonyan & Zisserman 2014, sec. 1.3)."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.config.evaluation import NORMALIZED_WORDS, FusionConfig
from ml.errors import BadConfig, BadScores, UnlikeScores
from ml.evaluation.fitting import fitted_on
from ml.evaluation.scores import Scores, log_probabilities, softmax
from ml.evaluation.svm import LinearSVM
from ml.words import Words, counted, joined

Array = NDArray[Any]

NUM_NAMED = 3
"""How many of the videos that differ a refusal names."""


def normalized(scores: Array, how: str) -> Array:
    """(V, N) scores → what is fused: the scores, p = softmax(scores), or p / ‖p‖₂."""
    if how == "none":
        return scores.astype(np.float64)
    p = softmax(scores)
    return p if how == "softmax" else p / np.linalg.norm(p, axis=-1, keepdims=True)


def blend(streams: Sequence[Array], config: FusionConfig) -> NDArray[np.float32]:
    """Σ w_s x_s / Σ w_s over streams of (V, N) scores; all weights are 1 for the average.

    Fused probabilities are stored as their logarithm, so that softmax gives them back. Fused L2-normalised vectors
    are no distribution: each is divided by its sum first, which keeps the order of classes within a video.

    Raises:
        BadConfig: not one weight a stream, a negative one, or all zero.
    """
    weights = _weights(config, len(streams))
    fused = sum(w * normalized(x, config.normalize) for w, x in zip(weights, streams, strict=True))
    if config.normalize == "none":
        return np.asarray(fused, dtype=np.float32)
    return log_probabilities(fused / np.sum(fused, axis=-1, keepdims=True))


def stacked(streams: Sequence[Array], config: FusionConfig) -> Array:
    """Streams of (V, N) → (V, S·N): the SVM's input."""
    return np.concatenate([normalized(scores, config.normalize) for scores in streams], axis=-1)


def fuse(members: Sequence[Scores], config: FusionConfig, fit: Sequence[Scores] = ()) -> Scores:
    """Score files of several streams → one. Their videos may differ in order only.

    The SVM is fitted on `fit`, the same streams' scores of other videos (the paper does not say of which; see `ml.evaluation.fitting`).

    Raises:
        BadScores: the files do not belong together; names the first difference. Or there is nothing to fit an SVM on.
        BadConfig: weights that do not fit.
    """
    members = aligned(members)
    streams = [member.scores for member in members]
    if config.method != "svm":
        return _fused(members, blend(streams, config), config, {}, "")
    fit = _checked_fit(members, fit)
    svm = LinearSVM.fit(stacked([one.scores for one in fit], config), fit[0].labels, len(members[0].classes), config.svm_c)
    return _fused(members, svm.scores(stacked(streams, config)), config, svm.arrays(), fitted_on(fit[0]))


def fuse_rows(streams: Sequence[Array], config: FusionConfig, svm: LinearSVM | None) -> NDArray[np.float32]:
    """Score new videos: streams of (V, N) → (V, N), by the fusion that a file describes."""
    return blend(streams, config) if svm is None else svm.scores(stacked(streams, config))


def aligned(members: Sequence[Scores]) -> list[Scores]:
    """The same score files with all videos in the first one's order.

    Raises:
        BadScores: fewer than two, a fusion among them, or other classes, videos or labels; names the first difference.
    """
    if len(members) < 2:
        raise BadScores("A fusion needs the scores of at least two streams", "Give two score files or more.")
    first = members[0]
    if any("fusion" in member.about for member in members):
        raise BadScores("One of these files is a fusion already", "Fuse the streams themselves; weights say how much each counts.")
    return [first, *(_like(first, other, number) for number, other in enumerate(members[1:], start=2))]


def _like(first: Scores, other: Scores, number: int) -> Scores:
    """`other` (the file given as `number`) in the order of `first`."""
    _same_classes(first, other, number)
    lost = sorted(set(first.videos) ^ set(other.videos))
    if lost:
        advice = "Evaluate both streams on the same subset; a video that one of them left out must be mended or removed."
        raise UnlikeScores(
            "The score files hold other videos: {video} is only in file {number} ({count} differ)",
            advice,
            video=lost[0],
            number=1 if lost[0] in first.videos else number,
            count=len(lost),
        )
    place = {video: index for index, video in enumerate(other.videos)}
    other = other.reordered(np.array([place[video] for video in first.videos]))
    _same_videos(first, other, number)
    return other


def _same_videos(first: Scores, other: Scores, number: int) -> None:
    """Label by label and group by group, in one order."""
    relabelled = first.videos[first.labels != other.labels]
    if len(relabelled):
        raise UnlikeScores(
            "Between these tests, {count} of their videos were given another class: {videos} (file 1 and file {number})",
            "Train and evaluate the older run again, on the dataset as it is now.",
            count=len(relabelled),
            videos=joined([*relabelled[:NUM_NAMED], *(["…"] if len(relabelled) > NUM_NAMED else [])], ", "),
            number=number,
        )
    regrouped = first.videos[first.groups != other.groups]
    if len(regrouped):
        raise UnlikeScores(
            "{video} has another group in file {number} than in file 1",
            "Evaluate both streams on the same dataset and split.",
            video=regrouped[0],
            number=number,
        )


def _same_classes(first: Scores, other: Scores, number: int) -> None:
    if list(first.classes) == list(other.classes):
        return
    N, M = len(first.classes), len(other.classes)
    pairs = zip(first.classes, other.classes, strict=False)
    other_name = (Words("class {number} is {a} and {b}", number=i, a=a, b=b) for i, (a, b) in enumerate(pairs) if a != b)
    difference = next(other_name, Words("{a} and {b} classes", a=N, b=M))
    raise UnlikeScores(
        "File 1 and file {number} have other classes: {difference}", "Fuse runs of the same dataset.", number=number, difference=difference
    )


def _weights(config: FusionConfig, num_streams: int) -> Array:
    """(S,) weights with sum 1."""
    weights = np.array(config.weights if config.method == "weighted" else (1.0,) * num_streams)
    if len(weights) != num_streams:
        given = counted("{count} weight", "{count} weights", len(weights))
        raise BadConfig(
            "{given} for {streams} streams", "Give {streams} weights, one a stream, in their order.", given=given, streams=num_streams
        )
    if weights.min() < 0 or weights.sum() <= 0:
        raise BadConfig(
            "These weights can't be used: {weights}", "Give weights of zero or more, at least one above zero.", weights=config.weights
        )
    return np.asarray(weights / weights.sum())


def _checked_fit(members: Sequence[Scores], fit: Sequence[Scores]) -> list[Scores]:
    """The fit files, aligned, once they are known to belong to the members and to hold other videos."""
    if not fit:
        advice = "Give the streams' scores of held-out training videos with --fit, or fuse by average. Test videos are not for fitting."
        raise BadScores("An SVM needs scores to be fitted on", advice)
    if len(fit) != len(members):
        raise BadScores(
            "{files} files to fit on for {streams} streams", "Give one a stream, in the same order.", files=len(fit), streams=len(members)
        )
    fit = aligned(fit)
    _same_classes(members[0], fit[0], 2)
    seen = sorted(set(members[0].videos) & set(fit[0].videos))
    if seen:
        advice = "Fit on other videos: held-out training videos, best of all."
        raise BadScores(
            "{video} is to be scored by an SVM fitted on it ({count} videos are in both)", advice, video=seen[0], count=len(seen)
        )
    return fit


def _fused(members: Sequence[Scores], scores: NDArray[np.float32], config: FusionConfig, arrays: dict[str, Array], fitted: str) -> Scores:
    first, abouts = members[0], [member.about for member in members]
    shared = {key: _shared(abouts, key) for key in ("subset", "split", "dataset", "snapshot", "short")}
    about = {
        **shared,
        "description": joined([how_tested(about.get("description", "") for about in abouts), describe(config, len(members), fitted)]),
        "modality": " + ".join(str(about.get("modality", "?")) for about in abouts),
        "left_out": sorted({video for about in abouts for video in about.get("left_out", [])}),
        "fusion": {**config.model_dump(mode="json", exclude={"fit", "folds"}), "fitted": fitted},
        "members": abouts,
    }
    return Scores(scores, first.labels, first.videos, first.groups, first.classes, about, arrays)


def _shared(abouts: Sequence[dict[str, Any]], key: str) -> str:
    """What all streams have in common, or each one's own."""
    values = list(dict.fromkeys(str(about.get(key, "")) for about in abouts))
    return " + ".join(values)


def how_tested(descriptions: Iterable[str]) -> Words:
    """How the streams were tested; once where that reads the same."""
    return joined({str(one): one for one in descriptions}.values(), " + ")


def describe(config: FusionConfig, num_streams: int, fitted: str = "") -> Words:
    """How the streams were fused, fit to stand beside a number."""
    found = {"streams": num_streams, "what": Words(NORMALIZED_WORDS[config.normalize])}
    match config.method:
        case "average":
            return Words("{streams} streams fused: average of {what}", **found)
        case "weighted":
            weights = " : ".join(f"{weight:g}" for weight in config.weights)
            return Words("{streams} streams fused: weighted sum ({weights}) of {what}", **found, weights=weights)
        case "svm":
            text = "{streams} streams fused by a linear SVM (C = {c}) on {what}, fitted on: {fitted}"
            return Words(text, **found, c=f"{config.svm_c:g}", fitted=fitted)
