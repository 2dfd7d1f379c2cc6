"""Fusion against plain loops and scikit-learn; the SVM never scores what it saw; files that differ are refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from ml.config.evaluation import FusionConfig
from ml.errors import BadConfig, BadScores
from ml.evaluation.fitting import joined
from ml.evaluation.fusion import aligned, blend, fuse, fuse_rows, normalized, stacked
from ml.evaluation.scores import Scores, softmax
from ml.evaluation.svm import LinearSVM
from tests.ml.scores_by_hand import made_up

RGB, FLOW = made_up(seed=1), made_up(seed=2, modality="flow")


def shuffled(scores: Scores, seed: int = 0) -> Scores:
    return scores.reordered(np.random.default_rng(seed).permutation(len(scores.videos)))


def test_the_average_of_softmax_is_the_mean_probability_in_plain_loops() -> None:
    fused = fuse([RGB, FLOW], FusionConfig())
    for v in range(24):
        for n in range(3):
            a, b = (np.exp(s.scores[v, n]) / sum(np.exp(s.scores[v, m]) for m in range(3)) for s in (RGB, FLOW))
            assert softmax(fused.scores)[v, n] == pytest.approx((a + b) / 2, abs=1e-6)


def test_the_weighted_sum_weighs_and_keeps_a_distribution() -> None:
    fused = fuse([RGB, FLOW], FusionConfig(method="weighted", weights=(1, 1.5)))
    expected = (softmax(RGB.scores) + 1.5 * softmax(FLOW.scores)) / 2.5
    np.testing.assert_allclose(fused.probabilities(), expected, atol=1e-6)


def test_raw_scores_are_averaged_as_they_are() -> None:
    fused = fuse([RGB, FLOW], FusionConfig(normalize="none"))
    np.testing.assert_allclose(fused.scores, (RGB.scores + FLOW.scores) / 2, atol=1e-6)


def test_l2_gives_unit_vectors_of_probabilities() -> None:
    unit = normalized(RGB.scores, "l2")
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1)
    np.testing.assert_allclose(unit / unit.sum(axis=1, keepdims=True), softmax(RGB.scores))


@given(st.integers(0, 1000), st.sampled_from(["none", "softmax", "l2"]), st.floats(0.01, 100))
def test_equal_weights_of_any_size_are_the_average_and_one_stream_alone_keeps_its_order(seed: int, how: Any, weight: float) -> None:
    a, b = made_up(seed=seed).scores, made_up(seed=seed + 1).scores
    average = blend([a, b], FusionConfig(normalize=how))
    weighted = blend([a, b], FusionConfig(method="weighted", weights=(weight, weight), normalize=how))
    np.testing.assert_allclose(average, weighted, rtol=1e-4, atol=1e-5)
    alone = blend([a, b], FusionConfig(method="weighted", weights=(1, 0), normalize=how))
    np.testing.assert_array_equal(alone.argmax(axis=1), a.argmax(axis=1))


def test_certain_streams_that_contradict_each_other_stay_finite() -> None:
    certain = np.array([[1e4, 0, -1e4]], np.float32)
    fused = blend([certain, certain[:, ::-1]], FusionConfig())
    np.testing.assert_allclose(softmax(fused), [[0.5, 0, 0.5]], atol=1e-6)


@pytest.mark.parametrize("weights", [(), (1.0,), (1.0, 1.0, 1.0), (-1.0, 2.0), (0.0, 0.0)])
def test_weights_that_do_not_fit_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(BadConfig, match="weight"):
        fuse([RGB, FLOW], FusionConfig(method="weighted", weights=weights))


@pytest.mark.parametrize("normalize", ["none", "softmax", "l2"])
@pytest.mark.parametrize("num_classes", [2, 3, 6])
def test_the_svm_fitted_on_other_scores_is_scikit_learns(normalize: Any, num_classes: int) -> None:
    train = [made_up(60, num_classes, seed=seed, first=100) for seed in (1, 2)]
    test = [made_up(30, num_classes, seed=seed) for seed in (3, 4)]
    fused = fuse(test, FusionConfig(method="svm", normalize=normalize, svm_c=0.7), fit=train)
    x_train, x_test = (np.hstack([normalized(s.scores, normalize) for s in streams]) for streams in (train, test))
    theirs = LinearSVC(multi_class="crammer_singer", C=0.7, random_state=0, max_iter=20_000).fit(x_train, train[0].labels)
    np.testing.assert_array_equal(fused.scores.argmax(axis=1), theirs.predict(x_test))
    margins = theirs.decision_function(x_test)
    ours = fused.scores if num_classes > 2 else fused.scores[:, 1] - fused.scores[:, 0]
    np.testing.assert_allclose(ours, margins, rtol=1e-4, atol=1e-5)
    assert fused.about["description"].endswith("fitted on: scores of other videos (test), 60 videos")


def fold(number: int, folds: int = 3, seed: int = 1, **about: Any) -> Scores:
    """Twelve videos that the run without this fold had not learnt."""
    return made_up(12, seed=seed, first=100 * number, subset="validation", fold=number, folds=folds, **about)


def test_the_svm_of_three_folds_is_scikit_learns_on_all_of_them() -> None:
    fit = [joined([fold(k, seed=10 * stream + k) for k in (3, 1, 2)]) for stream in (1, 2)]
    test = [made_up(30, seed=seed) for seed in (3, 4)]
    config = FusionConfig(method="svm", normalize="l2")
    fused = fuse(test, config, fit)
    x = stacked([np.concatenate([fold(k, seed=10 * stream + k).scores for k in (1, 2, 3)]) for stream in (1, 2)], config)
    theirs = LinearSVC(multi_class="crammer_singer", random_state=0, max_iter=20_000).fit(x, np.tile(made_up(12).labels, 3))
    margins = theirs.decision_function(stacked([member.scores for member in test], config))
    np.testing.assert_allclose(fused.scores, margins, rtol=1e-3, atol=1e-3)
    assert fused.about["fusion"]["fitted"] == "held-out scores, 3 folds, 36 videos"


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ([fold(1), fold(2)], "Of 3 folds, these are there: 1, 2"),
        ([fold(1), fold(2), fold(2)], "Of 3 folds, these are there: 1, 2, 2"),
        ([fold(1), fold(2, folds=2)], "other divisions"),
        ([fold(1, folds=2), made_up(first=100)], "other divisions"),
        ([made_up(), made_up(first=5)], "listed 2 times"),
        ([made_up(), made_up(num_classes=4, first=100)], "other classes"),
    ],
)
def test_folds_that_do_not_belong_together_are_refused(parts: list[Scores], complaint: str) -> None:
    with pytest.raises(BadScores, match=complaint):
        joined(parts)


@pytest.mark.parametrize(("subset", "words"), [("train", "training scores"), ("validation", "validation scores")])
def test_the_number_says_what_its_svm_was_fitted_on(subset: str, words: str) -> None:
    fit = [made_up(30, seed=seed, first=100, subset=subset) for seed in (1, 2)]
    assert fuse([RGB, FLOW], FusionConfig(method="svm"), fit).about["description"].endswith(f"fitted on: {words}, 30 videos")


def test_classes_that_an_svm_never_saw_are_counted_beside_the_number() -> None:
    fit = [made_up(30, seed=seed, first=100) for seed in (1, 2)]
    seen = [one.reordered(np.flatnonzero(one.labels > 0)) for one in fit]
    assert fuse([RGB, FLOW], FusionConfig(method="svm"), seen).about["fusion"]["fitted"].endswith("20 videos, 1 of 3 classes missing")


def test_an_svm_fitted_on_too_sure_scores_trusts_the_stream_that_has_learnt_them_by_heart() -> None:
    """The trap: one stream knows its training videos and nothing else, the other a little of all."""
    test = [made_up(300, seed=1, lean=0), made_up(300, seed=2, lean=1.5)]
    learnt = [made_up(300, seed=3, lean=12, first=1000), made_up(300, seed=4, lean=1.5, first=1000)]
    held_out = [made_up(300, seed=5, lean=0, first=1000), made_up(300, seed=6, lean=1.5, first=1000)]
    config = FusionConfig(method="svm", normalize="l2")
    top1 = [(fuse(test, config, fit).scores.argmax(axis=1) == test[0].labels).mean() for fit in (learnt, held_out)]
    assert top1[0] < 0.45 and top1[1] > 0.6


def test_an_svm_without_anything_to_fit_on_is_refused_and_is_never_fitted_on_test_videos() -> None:
    with pytest.raises(BadScores, match="needs scores to be fitted on") as raised:
        fuse([RGB, FLOW], FusionConfig(method="svm"))
    assert "--fit" in raised.value.advice and "Test videos are not for fitting" in raised.value.advice


def test_an_svm_of_one_class_is_refused() -> None:
    with pytest.raises(BadScores, match="at least two classes"):
        LinearSVM.fit(np.zeros((4, 2)), np.zeros(4, np.int64), 3, 1.0)


def test_a_class_the_svm_never_saw_can_not_win_and_the_others_score_as_without_it() -> None:
    x = np.random.default_rng(0).normal(size=(40, 4))
    labels = np.arange(40, dtype=np.int64) % 2 * 2  # classes 0 and 2
    scores = LinearSVM.fit(x, labels, 4, 1.0).scores(x)
    assert scores.shape == (40, 4) and set(scores.argmax(axis=1)) == {0, 2}


def test_the_stored_svm_scores_new_videos_as_the_fitted_one() -> None:
    train, test = [made_up(seed=s, first=50) for s in (1, 2)], [made_up(seed=s) for s in (3, 4)]
    config = FusionConfig(method="svm", normalize="l2")
    fused = fuse(test, config, fit=train)
    svm = LinearSVM.from_arrays(fused.arrays, 3)
    np.testing.assert_array_equal(fuse_rows([member.scores for member in test], config, svm), fused.scores)


@pytest.mark.parametrize("arrays", [{}, {"svm_weights": np.zeros((3, 6)), "svm_bias": np.zeros(3), "svm_seen": np.array([0, 1, 7])}])
def test_a_file_without_a_fitting_svm_is_refused(arrays: dict[str, Any]) -> None:
    with pytest.raises(BadScores, match="SVM"):
        LinearSVM.from_arrays(arrays, 3)


@pytest.mark.parametrize("method", ["average", "svm"])
def test_another_order_of_videos_gives_the_same_fusion(method: Any) -> None:
    config, fit = FusionConfig(method=method), [made_up(seed=seed, first=100) for seed in (1, 2)]
    np.testing.assert_array_equal(fuse([RGB, shuffled(FLOW)], config, fit).scores, fuse([RGB, FLOW], config, fit).scores)


def test_three_streams_are_fused_like_two() -> None:
    fused = fuse([RGB, FLOW, made_up(seed=9)], FusionConfig())
    assert len(fused.about["members"]) == 3 and "3 streams" in fused.about["description"]


def relabelled(scores: Scores) -> Scores:
    return replace(scores, labels=(scores.labels + (scores.videos == "video004")) % 3)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (FLOW.reordered(np.arange(20)), "video020 is only in file 1"),
        (made_up(seed=2, num_videos=25), "video024 is only in file 2"),
        (replace(FLOW, classes=np.array(["class0", "x", "class2"])), "class 1 is class1 and x"),
        (made_up(num_classes=4), "3 classes and 4|3 and 4 classes"),
        (relabelled(FLOW), r"1 of their videos were given another class: video004 \(file 1 and file 2\)"),
        (replace(FLOW, labels=(FLOW.labels + 1) % 3), "24 of their videos .* video000, video001, video002, …"),
        (replace(FLOW, groups=np.full(24, "g")), "video000 has another group in file 2"),
        (fuse([RGB, FLOW], FusionConfig()), "is a fusion already"),
    ],
)
def test_files_that_do_not_belong_together_are_refused_with_the_first_difference(other: Scores, complaint: str) -> None:
    with pytest.raises(BadScores, match=complaint):
        aligned([RGB, other])


def test_one_stream_is_no_fusion() -> None:
    with pytest.raises(BadScores, match="at least two"):
        fuse([RGB], FusionConfig())


def test_an_svm_may_not_be_fitted_on_the_videos_it_scores() -> None:
    with pytest.raises(BadScores, match="video000 is to be scored by an SVM fitted on it"):
        fuse([RGB, FLOW], FusionConfig(method="svm"), fit=[RGB, FLOW])


def test_as_many_files_to_fit_on_as_streams() -> None:
    with pytest.raises(BadScores, match="1 files to fit on for 2 streams"):
        fuse([RGB, FLOW], FusionConfig(method="svm"), fit=[made_up(first=100)])


def test_a_fusion_says_what_was_fused_and_how() -> None:
    about = fuse([RGB, FLOW], FusionConfig(method="weighted", weights=(1, 1.5))).about
    assert about["description"] == "25 frames × 10 crops; 2 streams fused: weighted sum (1 : 1.5) of class probabilities"
    assert (about["short"], about["subset"], about["split"], about["modality"]) == ("25x10", "test", "1", "rgb + flow")
    assert [member["modality"] for member in about["members"]] == ["rgb", "flow"]


def test_streams_tested_differently_keep_both_protocols_in_sight() -> None:
    about = fuse([RGB, made_up(seed=2, short="5x1", description="5 frames × 1 crop")], FusionConfig()).about
    assert about["short"] == "25x10 + 5x1"
    assert about["description"].startswith("25 frames × 10 crops + 5 frames × 1 crop; ")
