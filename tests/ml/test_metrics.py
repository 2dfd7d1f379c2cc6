"""Metrics against scikit-learn and plain loops, and where there is nothing to count."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from ml.evaluation.metrics import confusion, metrics, top_k, true_ranks, video_rows, wilson
from ml.evaluation.results import results
from ml.evaluation.scores import Scores, softmax
from tests.ml.scores_by_hand import made_up

MAPS = ("map", "map_voc2007", "map_voc2010", "map_raw", "map_voc2007_raw", "map_voc2010_raw")
PREDICTED_AND_TRUE = st.integers(0, 10_000).map(lambda seed: made_up(num_videos=40, num_classes=7, seed=seed, lean=0.7))


def of(scores: list[list[float]], labels: list[int]) -> Scores:
    V, N = len(scores), len(scores[0])
    names = np.array([f"v{i}" for i in range(V)])
    return Scores(np.array(scores, np.float32), np.array(labels), names, np.full(V, ""), np.array([f"c{i}" for i in range(N)]))


@given(PREDICTED_AND_TRUE)
def test_every_number_equals_scikit_learns(scores: Scores) -> None:
    found, predicted, p = metrics(scores), scores.scores.argmax(axis=1), softmax(scores.scores)
    every = list(range(7))
    assert found["top1"] == pytest.approx(sklearn.accuracy_score(scores.labels, predicted))
    assert found["top5"] == pytest.approx(sklearn.top_k_accuracy_score(scores.labels, scores.scores, k=5, labels=every))
    assert found["mean_class_accuracy"] == pytest.approx(sklearn.balanced_accuracy_score(scores.labels, predicted))
    assert found["confusion"] == sklearn.confusion_matrix(scores.labels, predicted, labels=every).tolist()
    one_hot = np.eye(7)[scores.labels]
    assert found["map"] == pytest.approx(sklearn.average_precision_score(one_hot, p, average="macro"))
    assert found["map_raw"] == pytest.approx(sklearn.average_precision_score(one_hot, scores.scores, average="macro"))
    precision, recall, _, support = sklearn.precision_recall_fscore_support(scores.labels, predicted, labels=every, zero_division=np.nan)
    for row in found["per_class"]:
        i = row["index"]
        assert row["recall"] == pytest.approx(recall[i]) and row["support"] == support[i]
        assert row["precision"] is None if np.isnan(precision[i]) else row["precision"] == pytest.approx(precision[i])
        assert row["recall_low"] <= row["recall"] <= row["recall_high"]


def test_ranks_are_those_of_a_plain_loop() -> None:
    scores = made_up(num_videos=30, num_classes=9, seed=3)
    expected = [sum(1 for s in row if s > row[label]) for row, label in zip(scores.scores, scores.labels, strict=True)]
    assert true_ranks(scores.scores, scores.labels).tolist() == expected


def test_of_equal_scores_the_lower_index_is_predicted_everywhere() -> None:
    scores = of([[0, 0, 0]] * 3, [0, 1, 2])
    assert true_ranks(scores.scores, scores.labels).tolist() == [0, 1, 2]
    assert metrics(scores)["top1"] == pytest.approx(1 / 3)
    assert confusion(scores.scores, scores.labels).tolist() == [[1, 0, 0]] * 3


def test_a_class_without_videos_has_no_recall_and_is_left_out_of_the_means_and_that_is_said() -> None:
    found = metrics(of([[3, 0, 0], [0, 3, 0], [3, 0, 0]], [0, 1, 1]))
    empty = found["per_class"][2]
    assert (empty["recall"], empty["recall_low"], empty["precision"], empty["support"]) == (None, None, None, 0)
    assert (empty["ap"], empty["ap_voc2007"], empty["ap_voc2010"]) == (None, None, None)
    assert found["mean_class_accuracy"] == pytest.approx((1 + 0.5) / 2)
    assert found["notes"] == ["1 of 3 classes have no videos here and are left out of the means: c2"]


def test_videos_that_were_left_out_are_counted_in_a_note() -> None:
    assert metrics(made_up(left_out=["bad.mp4"]))["notes"] == ["1 videos could not be read and are not counted: bad.mp4"]


def test_fewer_than_five_classes_make_top5_certain() -> None:
    assert top_k(made_up().scores, made_up().labels, 5) == 1


def test_one_class_and_one_video_are_enough() -> None:
    found = metrics(of([[0.0]], [0]))
    assert (found["top1"], found["map"], found["mean_class_accuracy"]) == (1, 1, 1)


def test_wilson_agrees_with_the_published_example_and_stays_within_zero_and_one() -> None:
    # Newcombe 1998, table I: 81 of 263 → 0.2553..0.3662; 0 of 20 → 0..0.1611
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert wilson(20, 20)[1] == 1 and wilson(0, 12)[0] == 0


def test_results_are_plain_json_with_the_protocol_and_one_row_a_video() -> None:
    found = json.loads(json.dumps(results(made_up())))
    assert found["metrics"]["protocol"] == {"short": "25x10", "description": "25 frames × 10 crops", "subset": "test", "split": "1"}
    assert set(found["metrics"]["definitions"]) >= {"top1", "top5", "mean_class_accuracy", "recall", *MAPS}
    assert all(0 <= found["metrics"][name] <= 1 for name in MAPS)
    assert len(found["videos"]) == found["metrics"]["num_videos"] == 24


def test_a_video_row_tells_prediction_rank_and_the_five_highest() -> None:
    scores = of([[0, 1, 2, 3, 4, 5]], [3])
    (row,) = video_rows(scores)
    p = softmax(scores.scores)[0]
    assert (row["video"], row["label"], row["predicted"], row["true_rank"]) == ("v0", 3, 5, 2)
    assert row["true_probability"] == pytest.approx(p[3])
    assert row["top"] == [[i, pytest.approx(p[i])] for i in (5, 4, 3, 2, 1)]


def test_order_of_videos_does_not_change_a_number() -> None:
    scores = made_up(num_videos=50, num_classes=5)
    shuffled = scores.reordered(np.random.default_rng(1).permutation(50))
    a, b = metrics(scores), metrics(replace(shuffled, about=scores.about))
    assert a["confusion"] == b["confusion"]
    assert (a["top1"], a["map"]) == (b["top1"], pytest.approx(b["map"]))
