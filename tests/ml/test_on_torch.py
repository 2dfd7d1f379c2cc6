"""Batches of pairs and the memory of a GPU."""

import numpy as np
import pytest
import torch

from ml.errors import OutOfMemory
from ml.flow.on_torch import on_torch, within_memory
from ml.video.arrays import Floats, Pixels

FRAMES = np.arange(7, dtype=np.uint8)[:, None, None] * np.ones((4, 6), np.uint8)


def test_a_batch_that_does_not_fit_is_done_in_halves_and_comes_back_in_order() -> None:
    tried: list[int] = []

    def small(previous: Pixels, following: Pixels) -> Floats:
        tried.append(len(previous))
        if len(previous) > 2:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return np.stack((previous, following), 1).astype(np.float32)

    fields = within_memory(small)(FRAMES, FRAMES + 10)
    np.testing.assert_array_equal(fields[:, 0], FRAMES)
    np.testing.assert_array_equal(fields[:, 1], FRAMES + 10)
    assert tried == [7, 3, 1, 2, 4, 2, 2]


def test_a_pair_that_does_not_fit_is_an_error_with_advice() -> None:
    def full(_previous: Pixels, _following: Pixels) -> Floats:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(OutOfMemory, match="one pair of 6 × 4 px") as caught:
        within_memory(full)(FRAMES, FRAMES)
    assert "fewer processes" in caught.value.advice


def test_frames_arrive_as_levels_and_nothing_is_remembered_for_gradients() -> None:
    def difference(I0: torch.Tensor, I1: torch.Tensor) -> torch.Tensor:
        assert not torch.is_grad_enabled() and I0.dtype == torch.float32 and I0.shape == (7, 1, 4, 6)
        return torch.cat((I1 - I0, I0), 1)

    fields = on_torch(difference, "cpu", 64)(FRAMES, 2 * FRAMES)
    np.testing.assert_array_equal(fields, np.stack((FRAMES, FRAMES), 1).astype(np.float32))
