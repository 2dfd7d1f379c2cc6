"""Views of a video become one score vector, in batches, with the next ones read meanwhile."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from ml.errors import BadPack
from ml.evaluation.scores import softmax
from ml.evaluation.views import BATCH, aggregate, middle, read_ahead, score_views


class Sums(nn.Module):
    """Scores of a view: the sums of its channels; notes the batches it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.batches: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(x))
        return x.sum(dim=(2, 3)) * self.scale


def pieces(num_pieces: int, views: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(views, 3, 2, 2)).astype(np.float32) for _ in range(num_pieces)]


def test_every_view_is_scored_once_and_in_order() -> None:
    parts = pieces(25, 10)
    scores = score_views(Sums(), parts)
    np.testing.assert_allclose(scores, np.concatenate(parts).sum(axis=(2, 3)), rtol=1e-5, atol=1e-5)


def test_pieces_are_joined_to_batches() -> None:
    model = Sums()
    score_views(model, pieces(25, 10))
    assert sum(model.batches) == 250 and all(BATCH <= size < BATCH + 10 for size in model.batches[:-1])


def test_a_video_of_segments_counts_as_so_many_views() -> None:
    model = Sums()
    scores = score_views(model, [np.zeros((4, 5, 3, 2, 2), np.float32)] * 4)
    assert model.batches == [8, 8] and scores.shape[0] == 16


def test_no_gradient_is_kept() -> None:
    model = Sums()
    score_views(model, pieces(1, 1))
    assert model.scale.grad is None


def test_softmax_aggregation_stores_the_log_of_the_mean_probability() -> None:
    views = np.array([[3, 0, 0], [0, 5, 0]], np.float32)
    expected = [(np.exp(a) / np.exp(views[0]).sum() + np.exp(b) / np.exp(views[1]).sum()) / 2 for a, b in zip(*views, strict=True)]
    np.testing.assert_allclose(softmax(aggregate(views, "softmax")), expected, rtol=1e-5)


def test_logits_aggregation_is_the_mean_score() -> None:
    views = np.array([[3, 0], [0, 5]], np.float32)
    np.testing.assert_array_equal(aggregate(views, "logits"), [1.5, 2.5])


def test_the_two_aggregations_can_disagree() -> None:
    views = np.array([[9, 0, 0], [0, 4, 3.9], [0, 4, 3.9]], np.float32)
    assert aggregate(views, "logits").argmax() == 0
    assert aggregate(np.repeat(views, [1, 2, 2], axis=0), "softmax").argmax() == 1


@pytest.mark.parametrize("depth", [1, 3, 100])
def test_reading_ahead_changes_neither_items_nor_order(depth: int) -> None:
    assert list(read_ahead(iter(range(20)), depth)) == list(range(20))
    assert list(read_ahead(iter(()), depth)) == []


def test_reading_ahead_stays_within_its_depth() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    reader = read_ahead(items(), 3)
    assert next(reader) == 0
    reader.close()  # type: ignore[attr-defined]  # a generator
    assert len(made) <= 4


def test_an_error_while_reading_ahead_arrives_in_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise BadPack("torn")

    reader = read_ahead(items(), 2)
    assert next(reader) == 1
    with pytest.raises(BadPack, match="torn"):
        next(reader)


def test_the_middle_of_embeddings_is_their_mean_and_of_length_1_where_theirs_is() -> None:
    views = np.array([[3.0, 4.0], [-1.0, 0.0]], np.float32)
    np.testing.assert_allclose(middle(views, is_unit=False), [1.0, 2.0])
    units = views / np.linalg.norm(views, axis=1, keepdims=True)
    np.testing.assert_allclose(middle(units, is_unit=True), np.array([-0.4, 0.8]) / np.sqrt(0.8), rtol=1e-6)
    assert not middle(np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32), is_unit=True).any()  # no direction: the middle itself
