"""What every flow method is once its parameters are chosen."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ml.video.arrays import Floats, Pixels


@dataclass(frozen=True)
class FlowMethod:
    """Grey frames and those that follow them → px/frame, x (rightwards) then y (downwards)."""

    of_batch: Callable[[Pixels, Pixels], Floats]
    """(B, H, W), (B, H, W) → (B, 2, H, W)"""
    batch_size: int = 1
    """How many pairs at a time this method is fastest with."""

    def __call__(self, previous: Pixels, following: Pixels) -> Floats:
        """(H, W) → (2, H, W), or (B, H, W) → (B, 2, H, W) float32."""
        if previous.ndim == 3:
            return self.of_batch(previous, following)
        field: Floats = self.of_batch(previous[None], following[None])[0]
        return field


def pair_by_pair(of_pair: Callable[[Pixels, Pixels], Floats]) -> FlowMethod:
    """A method that knows two frames only: (H, W), (H, W) → (2, H, W)."""
    return FlowMethod(lambda previous, following: np.stack([of_pair(*pair) for pair in zip(previous, following, strict=True)]))
