"""Dense Inverse Search (Kroeger, Timofte, Dai & Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016) through OpenCV."""

from functools import lru_cache

import cv2
import numpy as np

from ml.flow.method import FlowMethod, pair_by_pair
from ml.video.arrays import Floats, Pixels

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}


def dis(*, preset: str) -> FlowMethod:
    """A function of two grey frames, and of nothing else.

    OpenCV's solver keeps what it chose for a size, so each size gets its own; and where a picture is too small for the preset's scales it
    keeps those that it took instead and takes smaller ones for the next pair, so each pair begins with the preset's.
    """
    fresh = cv2.DISOpticalFlow.create(PRESETS[preset])
    scale, patch, stride = fresh.getFinestScale(), fresh.getPatchSize(), fresh.getPatchStride()

    @lru_cache(maxsize=1)
    def solver_for(_size: tuple[int, ...]) -> cv2.DISOpticalFlow:
        return cv2.DISOpticalFlow.create(PRESETS[preset])

    def flow(previous: Pixels, following: Pixels) -> Floats:
        solver = solver_for(previous.shape)
        solver.setFinestScale(scale)
        solver.setPatchSize(patch)
        solver.setPatchStride(stride)
        field = np.asarray(solver.calc(previous, following, None), np.float32)  # type: ignore[call-overload]  # no initial flow
        return field.transpose(2, 0, 1)

    return pair_by_pair(flow)
