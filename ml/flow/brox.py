"""Optical flow of Brox, Bruhn, Papenberg & Weickert, "High Accuracy Optical Flow Estimation Based on a Theory for Warping" (ECCV 2004).

    min over u and v of   Σ Ψ(|I1(x + w) - I0|² + γ |∇I1(x + w) - ∇I0|²) + α Ψ(|∇u|² + |∇v|²),     w = (u, v),  Ψ(s²) = √(s² + 10⁻⁶)

as OpenCV computes it in CUDA (NCVBroxOpticalFlow), which is what the two-stream paper used. At each level of the pyramid, from coarse to
fine, the second picture and its derivatives are warped by w once; for the increment (du, dv), with Ψ' held for some sweeps at a time,

    q0 = Iz + Ix du + Iy dv,   q1 = Ixz + Ixx du + Ixy dv,   q2 = Iyz + Ixy du + Iyy dv                            (1) linearised
    Ψ'D = 1 / (2α √(q0² + γ (q1² + q2²) + 10⁻⁶))                                                                   (2) at each pixel
    Ψ'S = 1 / (2 √(|∇(u + du)|² + |∇(v + dv)|² + 10⁻⁶))                                                            (3) between two pixels
    Σ Ψ'S ((u + du)_neighbour - u - du) = Ψ'D (Ix q0 + γ (Ixx q1 + Ixy q2)),   and for v likewise                  (4) linear in du, dv

is solved by red-black successive over-relaxation. CUDA's textures interpolate with fractions of 8 bits, here they are exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ml.flow.images import destinations
from ml.flow.method import FlowMethod
from ml.flow.on_torch import on_torch

SMALLEST_SIDE = 15  # px; a level larger than this has another one below it
OMEGA = 1.99
EPSILON = 1e-6
GPU_BATCH = 64


@dataclass(frozen=True)
class Parameters:
    """In the paper's letters, for pictures in 0..1."""

    alpha: float = 0.197
    gamma: float = 50.0
    scale_step: float = 0.8
    num_levels: int = 150
    num_inner: int = 5
    num_sweeps: int = 10


def brox(*, device: str, **parameters: Any) -> FlowMethod:
    """What the schema describes; `parameters` are those of `Parameters`."""
    known = Parameters(**parameters)
    return on_torch(lambda I0, I1: flow_of(torch.cat((I0, I1), 1) / 255, known), device, GPU_BATCH)


def flow_of(pair: Tensor, parameters: Parameters) -> Tensor:
    """(B, 2, H, W), both frames in 0..1 → (B, 2, H, W) px/frame."""
    levels = [*_pyramid(pair, parameters)]
    w = torch.zeros_like(levels[-1])
    for level in reversed(levels):
        if w.shape != level.shape:
            w = _prolonged(w, level.shape[-2], level.shape[-1], parameters.scale_step)
        w = w + _increment(level[:, :1], level[:, 1:], w, parameters)  # (B, 2, H, W)
    return w


def _pyramid(pair: Tensor, parameters: Parameters) -> Iterator[Tensor]:
    """Sides of ⌈side · stepⁿ⌉, each level from the one before."""
    yield pair
    H, W = pair.shape[-2:]
    for n in range(1, parameters.num_levels):
        if min(pair.shape[-2:]) <= SMALLEST_SIDE:
            return
        rows, columns = (
            _area_weights(pair.shape[dim], int(np.ceil(np.float32(side * parameters.scale_step**n))), 1 / parameters.scale_step).to(pair)
            for dim, side in ((-2, H), (-1, W))
        )
        pair = rows @ pair @ columns.T
        yield pair


def _area_weights(old: int, new: int, scale: float) -> Tensor:
    """(new, old): what each old pixel contributes to a new one, which covers `scale` of them, or those that there are at the border."""
    starts = torch.arange(new, dtype=torch.float64)[:, None] * scale
    pixels = torch.arange(old, dtype=torch.float64)
    covered = (torch.minimum(starts + scale, pixels + 1) - torch.maximum(starts, pixels)).clamp(min=0)
    return covered / covered.sum(1, keepdim=True)


def _prolonged(w: Tensor, H: int, W: int, scale_step: float) -> Tensor:
    """The flow of the next finer level to start from: bicubic, as many pixels longer as there are more of them."""
    y, x = ((torch.arange(side, device=w.device) + 0.5) * scale_step for side in (H, W))  # from the edge of the picture
    grid = torch.stack(torch.meshgrid(2 * x / w.shape[-1] - 1, 2 * y / w.shape[-2] - 1, indexing="xy"), -1)
    grid = grid.expand(len(w), -1, -1, -1)
    return functional.grid_sample(w, grid, mode="bicubic", padding_mode="border", align_corners=False) / scale_step


def _derivative(image: Tensor, dim: int) -> Tensor:
    """Along x (-1) or y (-2): [1, -8, 0, 8, -1] / 12; the picture goes on mirrored."""
    N = image.shape[dim]
    place = torch.arange(-2, N + 2, device=image.device)
    place = torch.where(place < 0, -1 - place, torch.where(place < N, place, 2 * N - 1 - place)).clamp(0, N - 1)
    one, two, _, four, five = (image.index_select(dim, place).narrow(dim, k, N) for k in range(5))
    return (one - 8 * two + 8 * four - five) / 12


def _warped(images: Tensor, w: Tensor) -> Tensor:
    """(B, C, H, W) read at x + w, bilinear; the picture goes on mirrored."""
    H, W = w.shape[-2:]
    x, y = destinations(w)
    grid = torch.stack(((2 * x + 1) / W - 1, (2 * y + 1) / H - 1), -1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


class Derivatives(NamedTuple):
    """Of I1 at x + w, and their differences from those of I0 (z); (B, 1, H, W) each."""

    x: Tensor
    y: Tensor
    xx: Tensor
    yy: Tensor
    xy: Tensor
    z: Tensor
    xz: Tensor
    yz: Tensor

    @classmethod
    def at(cls, I0: Tensor, I1: Tensor, w: Tensor) -> "Derivatives":
        I1x, I1y = _derivative(I1, -1), _derivative(I1, -2)
        images = torch.cat((I1, I1x, I1y, _derivative(I1x, -1), _derivative(I1y, -2), _derivative(I1y, -1)), 1)
        I1w, x, y, xx, yy, xy = torch.tensor_split(_warped(images, w), 6, dim=1)
        return cls(x, y, xx, yy, xy, I1w - I0, x - _derivative(I0, -1), y - _derivative(I0, -2))


class System(NamedTuple):
    """(4) for the two unknowns of each pixel."""

    neighbours: Tensor  # (4, B, 1, H, W), Ψ'S towards the left, right, upper and lower one; 0 across the border
    diagonal: Tensor  # (B, 2, H, W)
    coupling: Tensor  # (B, 1, H, W)
    constant: Tensor  # (B, 2, H, W)


def _increment(I0: Tensor, I1: Tensor, w: Tensor, parameters: Parameters) -> Tensor:
    """(du, dv) of one level."""
    derivatives, dw = Derivatives.at(I0, I1, w), torch.zeros_like(w)
    H, W = w.shape[-2:]
    red = (torch.arange(H, device=w.device)[:, None] + torch.arange(W, device=w.device)) % 2 == 0
    for _ in range(parameters.num_inner):
        system = system_of(derivatives, w, dw, parameters)
        for _ in range(parameters.num_sweeps):
            dw = relaxed(system, w, dw, red)
            dw = relaxed(system, w, dw, ~red)
    return dw


def system_of(d: Derivatives, w: Tensor, dw: Tensor, parameters: Parameters) -> System:
    """(1) to (3), at the du and dv of the moment."""
    du, dv = dw[:, :1], dw[:, 1:]
    q0, q1, q2 = d.z + d.x * du + d.y * dv, d.xz + d.xx * du + d.xy * dv, d.yz + d.xy * du + d.yy * dv  # (1)
    gamma = parameters.gamma
    data = 0.5 * torch.rsqrt(q0 * q0 + gamma * (q1 * q1 + q2 * q2) + EPSILON) / parameters.alpha  # (2)
    neighbours = _smoothness(w + dw)
    diagonal = torch.cat((d.x * d.x + gamma * (d.xx * d.xx + d.xy * d.xy), d.y * d.y + gamma * (d.xy * d.xy + d.yy * d.yy)), 1)
    constant = torch.cat((d.x * d.z + gamma * (d.xx * d.xz + d.xy * d.yz), d.y * d.z + gamma * (d.xy * d.xz + d.yy * d.yz)), 1)
    coupling = d.x * d.y + gamma * d.xy * (d.xx + d.yy)
    return System(neighbours, data * diagonal + neighbours.sum(0), data * coupling, data * constant)


def _smoothness(w: Tensor) -> Tensor:
    """(3), (4, B, 1, H, W). The derivative across a pair of pixels is their difference, the one along it the mean of four."""
    padded = functional.pad(w, (1, 1, 1, 1), mode="replicate")
    left = _diffusivity(padded[..., 1:-1, 1:] - padded[..., 1:-1, :-1], padded[..., 2:, :] - padded[..., :-2, :], -1)
    above = _diffusivity(padded[..., 1:, 1:-1] - padded[..., :-1, 1:-1], padded[..., :, 2:] - padded[..., :, :-2], -2)
    left[..., 0] = left[..., -1] = 0
    above[..., 0, :] = above[..., -1, :] = 0
    return torch.stack((left[..., :-1], left[..., 1:], above[..., :-1, :], above[..., 1:, :]))


def _diffusivity(across: Tensor, along: Tensor, dim: int) -> Tensor:
    """Differences of neighbours, and of those two apart along the other axis → Ψ'S between neighbours."""
    N = along.shape[dim] - 1
    along = 0.25 * (along.narrow(dim, 0, N) + along.narrow(dim, 1, N))
    return 0.5 * torch.rsqrt((across * across + along * along).sum(1, keepdim=True) + EPSILON)


def relaxed(system: System, w: Tensor, dw: Tensor, chosen: Tensor) -> Tensor:
    """One step of (4) at the pixels of one colour, whose neighbours all have the other: du, then dv with the new du."""
    padded = functional.pad(w + dw, (1, 1, 1, 1))
    around = (padded[..., 1:-1, :-2], padded[..., 1:-1, 2:], padded[..., :-2, 1:-1], padded[..., 2:, 1:-1])
    pull = sum(weight * (neighbour - w) for weight, neighbour in zip(system.neighbours, around, strict=True)) - system.constant
    du, dv = dw[:, :1], dw[:, 1:]
    du = (1 - OMEGA) * du + OMEGA * (pull[:, :1] - system.coupling * dv) / system.diagonal[:, :1]
    dv = (1 - OMEGA) * dv + OMEGA * (pull[:, 1:] - system.coupling * du) / system.diagonal[:, 1:]
    return torch.where(chosen, torch.cat((du, dv), 1), dw)
