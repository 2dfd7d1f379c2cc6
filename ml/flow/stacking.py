"""What a temporal stream sees of L flow fields (Simonyan & Zisserman 2014, section 3.1).

    Eq. 1   I_τ(u, v, 2k-1) = d^x_{τ+k-1}(u, v),   I_τ(u, v, 2k) = d^y_{τ+k-1}(u, v),     u = [1; w], v = [1; h], k = [1; L]
    Eq. 2   I_τ(u, v, 2k-1) = d^x_{τ+k-1}(p_k),    I_τ(u, v, 2k) = d^y_{τ+k-1}(p_k)
            p_1 = (u, v),   p_k = p_{k-1} + d_{τ+k-2}(p_{k-1})

The paper is silent on three points. A p_k lies between pixels: there d is interpolated bilinearly. It may leave the picture: there d is
what it is at the nearest pixel of the border. And the mean vector that is subtracted is that of the whole field d_{τ+k-1}, while the
path follows the field as it is.
"""

import cv2
import numpy as np

from ml.video.arrays import Floats

INVERSION_STEPS = 5


def flow_input(fields: Floats, *, along_trajectories: bool, is_bidirectional: bool, has_mean_subtracted: bool) -> Floats:
    """(L, 2, H, W) px/frame, one after the other → (2L, H, W): x, y, x, y, …

    Bi-directional: τ lies in the middle; first come the L/2 fields onward from it (one more, where L is odd), then the L/2 back from it,
    nearest first.
    """
    middle = len(fields) // 2 if is_bidirectional else 0
    halves = [fields[middle:], *([np.stack([invert(field) for field in fields[:middle][::-1]])] if middle else [])]
    seen = np.concatenate([follow(half) for half in halves]) if along_trajectories else np.concatenate(halves)
    return stack_flow(subtract_mean(np.concatenate(halves), seen) if has_mean_subtracted else seen)


def stack_flow(fields: Floats) -> Floats:
    """Eq. 1: (..., L, 2, H, W) → (..., 2L, H, W): x, y, x, y, …"""
    *leading, L, two, H, W = fields.shape
    return fields.reshape(*leading, L * two, H, W)


def follow(fields: Floats) -> Floats:
    """Eq. 2: (L, 2, H, W) → (L, 2, H, W), each field at the places to which the ones before it have moved the pixels of the first."""
    H, W = fields.shape[-2:]
    p = np.stack(np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)))  # (2, H, W)
    seen = np.empty_like(fields)
    for k, field in enumerate(fields):
        seen[k] = sample(field, p) if k else field
        p += seen[k]
    return seen


def invert(field: Floats) -> Floats:
    """(2, H, W) from a frame to the next → (2, H, W) from that one back.

    What moved from q to q + d(q) moves back by -d(q): b(q + d(q)) = -d(q), hence b = -d(p + b) at each p, solved as a fixed point.
    The paper computes a second set of fields instead. Both agree where the first one is smooth; where something is covered or uncovered
    neither direction knows the truth, and one extraction serves both.
    """
    H, W = field.shape[-2:]
    p = np.stack(np.meshgrid(np.arange(W, dtype=np.float32), np.arange(H, dtype=np.float32)))
    back = -field
    for _ in range(INVERSION_STEPS):
        back = -sample(field, p + back)
    return back


def sample(field: Floats, p: Floats) -> Floats:
    """(2, H, W) between its pixels, at the x and y (2, H, W): bilinear, outside the nearest pixel of the border."""
    return np.stack([cv2.remap(plane, p[0], p[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) for plane in field])


def subtract_mean(fields: Floats, seen: Floats | None = None) -> Floats:
    """(..., 2, H, W) less the mean vector of each field, per component: a cheap answer to camera motion.

    Args:
        seen: what was read from the fields at other places; by default they themselves.
    """
    mean = fields.mean(axis=(-2, -1), keepdims=True, dtype=np.float64)  # (..., 2, 1, 1)
    return np.asarray((fields if seen is None else seen) - mean, np.float32)
