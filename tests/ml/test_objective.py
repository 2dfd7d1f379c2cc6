"""Cross-entropy and the sums made of it, against plain loops."""

import json
import math
from dataclasses import asdict

import pytest
import torch
from torch import nn

from ml.training.objective import Outcome, classification
from ml.training.tally import Tally


def test_classification_is_the_mean_negative_log_probability_of_the_labels() -> None:
    scores = torch.randn(5, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels = torch.tensor([0, 3, 2, 2, 1])
    expected = 0.0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        expected -= math.log(math.exp(row[label]) / sum(math.exp(value) for value in row)) / 5

    outcome = classification(nn.Identity(), scores, labels)

    assert outcome.total.item() == pytest.approx(expected)
    assert torch.equal(outcome.scores, scores)


def test_the_total_is_the_sum_of_the_terms() -> None:
    outcome = Outcome({"a": torch.tensor(1.5), "b": torch.tensor(2.0)}, torch.zeros(1, 2))

    assert outcome.total.item() == 3.5


@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_extreme_scores_give_a_finite_loss(scale: float) -> None:
    scores = torch.tensor([[scale, -scale], [scale, -scale]])

    assert classification(nn.Identity(), scores, torch.tensor([0, 1])).total.isfinite()


def test_a_tally_weighs_batches_by_their_videos_and_classes_by_their_recall() -> None:
    tally = Tally()
    right, wrong = [9.0, 0.0], [0.0, 9.0]

    tally.add(Outcome({"a": torch.tensor(1.0)}, torch.tensor([right, right, wrong])), torch.tensor([0, 0, 0]))
    tally.add(Outcome({"a": torch.tensor(5.0)}, torch.tensor([wrong])), torch.tensor([1]))

    assert tally.metrics() == pytest.approx({"loss": (3 * 1 + 5) / 4, "top1": 3 / 4, "mean_class_accuracy": (2 / 3 + 1) / 2})
    assert tally.videos == 4


def test_a_tally_goes_through_json_and_back() -> None:
    tally = Tally({"a": 1 / 3}, {0: 2, 7: 0}, {0: 3, 7: 1})

    assert Tally.from_json(json.loads(json.dumps(asdict(tally)))) == tally
