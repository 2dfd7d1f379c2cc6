"""Names for the arrays that pass between modules."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""RGB frames (H, W, 3) or grey ones (H, W), 0..255."""

Floats = NDArray[np.float32]
"""Flow fields (2, H, W), x then y, in pixels per frame; or network inputs (C, H, W)."""

Number = TypeVar("Number", bound=np.generic)
"""What is in an array that comes out as it went in."""
