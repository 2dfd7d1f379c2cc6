"""Farnebäck's optical flow ("Two-Frame Motion Estimation Based on Polynomial Expansion", SCIA 2003) through OpenCV.

f(x) ~ xᵀ A x + bᵀ x + c around each pixel; a shift by d gives b2 = b1 - 2 A d, solved for d in a window
"""

import cv2
import numpy as np

from ml.flow.method import FlowMethod, pair_by_pair
from ml.video.arrays import Floats, Pixels


def farneback(
    *, pyramid_scale: float, num_levels: int, window_size: int, num_iterations: int, poly_n: int, poly_sigma: float
) -> FlowMethod:
    """A function of two grey frames."""
    solver = cv2.FarnebackOpticalFlow.create(
        numLevels=num_levels,
        pyrScale=pyramid_scale,
        fastPyramids=False,
        winSize=window_size,
        numIters=num_iterations,
        polyN=poly_n,
        polySigma=poly_sigma,
        flags=0,
    )

    def flow(previous: Pixels, following: Pixels) -> Floats:
        field = np.asarray(solver.calc(previous, following, None), np.float32)  # type: ignore[call-overload]  # no initial flow
        return field.transpose(2, 0, 1)

    return pair_by_pair(flow)
