"""What every flow method is once its parameters are chosen."""

from collections.abc import Callable

from ml.video.arrays import Floats, Pixels

FlowMethod = Callable[[Pixels, Pixels], Floats]
"""Two grey frames (H, W), one after the other → (2, H, W) px/frame, x (rightwards) then y (downwards)."""
