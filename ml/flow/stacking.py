"""Optical flow stacking (Simonyan & Zisserman 2014, section 3.1).

Eq. 1:   I_τ(u, v, 2k-1) = d^x_{τ+k-1}(u, v)
         I_τ(u, v, 2k)   = d^y_{τ+k-1}(u, v),     u = [1; w], v = [1; h], k = [1; L]
"""

import numpy as np

from ml.video.arrays import Floats


def stack_flow(fields: Floats) -> Floats:
    """Eq. 1: (..., L, 2, H, W) → (..., 2L, H, W): x, y, x, y, …"""
    *leading, L, two, H, W = fields.shape
    return fields.reshape(*leading, L * two, H, W)


def subtract_mean(fields: Floats) -> Floats:
    """(..., 2, H, W) less the mean vector of each field, per component: a cheap answer to camera motion."""
    mean = fields.mean(axis=(-2, -1), keepdims=True, dtype=np.float64)  # (..., 2, 1, 1)
    return np.asarray(fields - mean, np.float32)
