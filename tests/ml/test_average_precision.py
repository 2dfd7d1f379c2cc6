"""Three definitions of average precision against plain loops, and scikit-learn where it has one of them."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from ml.evaluation.average_precision import DEFINITIONS, average_precisions
from ml.evaluation.metrics import metrics
from ml.evaluation.scores import log_probabilities
from tests.ml.scores_by_hand import made_up

Pairs = list[tuple[bool, float]]
PAIRS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.2000001, 0.5, 0.7, 0.9])), min_size=1, max_size=30)


def found(pairs: Pairs) -> dict[str, float | None]:
    return average_precisions(np.array([positive for positive, _ in pairs]), np.array([confidence for _, confidence in pairs]))


def curve(pairs: Pairs) -> list[tuple[Fraction, Fraction]]:
    """(recall, precision) of everything that is at least as sure as each confidence, the surest first; exact."""
    all_positives = sum(positive for positive, _ in pairs)
    points = []
    for threshold in sorted({confidence for _, confidence in pairs}, reverse=True):
        taken = [positive for positive, confidence in pairs if confidence >= threshold]
        points.append((Fraction(sum(taken), all_positives), Fraction(sum(taken), len(taken))))
    return points


def best_from(points: list[tuple[Fraction, Fraction]], recall: Fraction) -> Fraction:
    return max(precision for at, precision in points if at >= recall)


@given(PAIRS)
def test_every_definition_is_its_formula_in_exact_fractions(pairs: Pairs) -> None:
    if not any(positive for positive, _ in pairs):
        assert set(found(pairs).values()) == {None}
        return
    points = curve(pairs)
    steps = [(later[0] - earlier[0], later) for earlier, later in pairwise([(Fraction(0), Fraction(1)), *points])]
    expected = {
        "": sum(step * precision for step, (_, precision) in steps),
        "_voc2007": sum(best_from(points, Fraction(tenth, 10)) for tenth in range(11)) / 11,
        "_voc2010": sum(step * best_from(points, recall) for step, (recall, _) in steps),
    }
    assert found(pairs) == {name: pytest.approx(float(value), abs=1e-12) for name, value in expected.items()}


@given(PAIRS)
def test_without_interpolation_it_is_scikit_learns_ties_included(pairs: Pairs) -> None:
    positive, confidence = np.array([p for p, _ in pairs]), np.array([c for _, c in pairs])
    if positive.any():
        assert average_precisions(positive, confidence)[""] == pytest.approx(average_precision_score(positive, confidence))


@given(PAIRS.filter(lambda pairs: any(positive for positive, _ in pairs)))
def test_interpolation_never_lowers_it_and_a_perfect_order_is_1_by_all(pairs: Pairs) -> None:
    values = found(pairs)
    assert values["_voc2010"] is not None and values[""] is not None
    assert values["_voc2010"] >= values[""] - 1e-12
    perfect = found([(positive, 1.0 if positive else 0.0) for positive, _ in pairs])
    assert perfect == {name: pytest.approx(1) for name in DEFINITIONS}


def test_a_recall_of_exactly_three_tenths_is_reached() -> None:
    """3 of 10 are found first; 0.1 + 0.2 is more than 0.3 for a computer."""
    pairs = [(True, 1.0)] * 3 + [(False, 0.5)] * 90 + [(True, 0.1)] * 7
    assert found(pairs)["_voc2007"] == pytest.approx((4 * 1 + 7 * 0.1) / 11)


def test_softmax_ranks_videos_otherwise_than_raw_scores_unless_the_scores_are_its_logarithms() -> None:
    scores = made_up(num_videos=60, num_classes=5, seed=4, lean=0.8)
    assert metrics(scores)["map"] != pytest.approx(metrics(scores)["map_raw"], abs=1e-3)
    of_probabilities = type(scores)(
        log_probabilities(scores.probabilities()), scores.labels, scores.videos, scores.groups, scores.classes, scores.about
    )
    again = metrics(of_probabilities)
    for name in ("map", "map_voc2007", "map_voc2010"):
        assert again[f"{name}_raw"] == pytest.approx(again[name]) == pytest.approx(metrics(scores)[name])
