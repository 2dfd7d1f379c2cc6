"""TV-L1 optical flow (Zach, Pock & Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", DAGM 2007).

    min over u and v of   Σ |∇u1| + |∇u2| + λ |ρ(v)| + 1/(2θ) |u - v|²

as OpenCV's contrib modules compute it, on the CPU (DualTVL1) or in CUDA. At each scale of the pyramid, from coarse to fine, p = 0;
the second picture is warped by the u of that moment, u0, several times; each time these are repeated until u stands still:

    ρ = I1(x + u0) + ∇I1(x + u0) · (u - u0) - I0                              (1) what a flow u leaves unexplained
    v = u - clamp(ρ / |∇I1|², -λθ, λθ) ∇I1                                    (2) the thresholding step TH, its three cases in one
    u ← v + θ div p                                                           (3)
    p ← (p + τ/θ ∇⁺u) / (1 + τ/θ |∇⁺u|)      for each of the two components   (4)

div takes backward differences and ∇⁺ forward ones; ∇⁺ is 0 in the last column or row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ml.flow import tv_l1_gpu
from ml.flow.images import TINY, centred_gradient, median_5x5, resize, warp
from ml.flow.method import FlowMethod
from ml.flow.on_torch import on_torch

SMALLEST_SIDE = 16  # px; no scale of the pyramid is smaller

Stopping = Callable[[int, Tensor, Tensor, Tensor | float], tuple[Tensor, Tensor]]
"""(n, Σ|Δu|² of iteration n (B,), credit (B,), threshold) → whether a pair goes on (B,) bool, credit; credits are 0 at first."""


def each_iteration(_n: int, error: Tensor, credit: Tensor, threshold: Tensor | float) -> tuple[Tensor, Tensor]:
    """A pair goes on while its Σ|Δu|² is above the threshold; OpenCV's CPU version looks at it after each iteration."""
    return error > threshold, credit


def now_and_then(n: int, error: Tensor, credit: Tensor, threshold: Tensor | float) -> tuple[Tensor, Tensor]:
    """OpenCV's CUDA version saves sums: it looks after odd iterations only, and after an error of k thresholds not for k iterations.

    The credit is what is left of the error seen last.
    """
    looks = (credit < threshold) & (n % 2 == 1)
    return ~looks | (error > threshold), torch.where(looks, error, credit - threshold)


@dataclass(frozen=True)
class Variant:
    """What OpenCV's two versions do differently."""

    cubic_a: float  # A of `warp`
    is_clamped: bool  # of `warp`
    pixel_centre: float  # of `resize`
    stopping: Stopping
    num_outer: int  # rounds of iterations for one warp, each after a median filter
    num_inner: int
    has_median: bool


VARIANTS = {
    "opencv_cpu": Variant(-0.75, False, 0.5, each_iteration, num_outer=10, num_inner=30, has_median=True),
    "opencv_cuda": Variant(-0.5, True, 0.0, now_and_then, num_outer=1, num_inner=300, has_median=False),
}


@dataclass(frozen=True)
class Parameters:
    """In the paper's letters; ε is in pixels."""

    tau: float = 0.25
    lambda_: float = 0.15
    theta: float = 0.3
    epsilon: float = 0.01
    num_scales: int = 5
    scale_step: float = 0.8
    num_warps: int = 5

    def threshold(self, num_pixels: int) -> float:
        """Of Σ|Δu|² over a picture."""
        return self.epsilon**2 * num_pixels

    def steps(self, goes_on: Tensor) -> "Steps":
        """Of pairs that go on, (B,) bool, or do not."""
        moves = goes_on.float()[:, None, None]
        return Steps(self.lambda_ * self.theta, moves, moves * self.theta, moves * (self.tau / self.theta))


def tv_l1(*, variant: str, device: str, **parameters: Any) -> FlowMethod:
    """What the schema describes; `parameters` are those of `Parameters`."""
    return method_of(Parameters(**parameters), VARIANTS[variant], device)


def method_of(parameters: Parameters, variant: Variant, device: str) -> FlowMethod:
    """The method on "cpu" or "cuda"."""
    refine = refined if device == "cpu" else tv_l1_gpu.refiner(device)
    return on_torch(lambda I0, I1: flow_of(I0, I1, parameters, variant, refine), device, tv_l1_gpu.BATCH)


Refine = Callable[[Tensor, Tensor, Tensor, Parameters, Variant], Tensor]
"""All warps of one scale: I0 (B, 1, H, W), I1 and its gradient (B, 3, H, W), u (B, 2, H, W) → u."""


def flow_of(I0: Tensor, I1: Tensor, parameters: Parameters, variant: Variant, refine: Refine) -> Tensor:
    """(B, 1, H, W) in 0..255, twice → (B, 2, H, W) px/frame. Each pair of the batch stops by itself."""
    scales = [*_pyramid(torch.cat((I0, I1), 1), parameters, variant)]
    u = torch.zeros_like(scales[-1])
    for pair in reversed(scales):
        if u.shape != pair.shape:
            u = resize(u, (pair.shape[-2], pair.shape[-1]), centre=variant.pixel_centre) * (1 / parameters.scale_step)
        I0, I1 = pair[:, :1], pair[:, 1:]
        u = refine(I0, torch.cat((I1, *centred_gradient(I1)), 1), u, parameters, variant)  # (B, 2, H, W)
    return u


def _pyramid(pair: Tensor, parameters: Parameters, variant: Variant) -> Iterator[Tensor]:
    """(B, 2, H, W): both frames, ever smaller."""
    yield pair
    for _ in range(parameters.num_scales - 1):
        H, W = (round(side * parameters.scale_step) for side in pair.shape[-2:])
        if min(H, W) < SMALLEST_SIDE:
            return
        pair = resize(pair, (H, W), 1 / parameters.scale_step, variant.pixel_centre)
        yield pair


def refined(I0: Tensor, images: Tensor, u: Tensor, parameters: Parameters, variant: Variant) -> Tensor:
    """A `Refine` for a CPU: in place, as it is; to compile it gains nothing there."""
    state = State(u)
    for _ in range(parameters.num_warps):
        linear = Linear.at(I0, warp(images, state.flow, variant.cubic_a, variant.is_clamped), state.flow)
        _iterate_until_still(state, linear, parameters, variant)
    return state.flow


def _iterate_until_still(state: "State", linear: "Linear", parameters: Parameters, variant: Variant) -> None:
    """(1) to (4) for one warp, at most `num_outer` × `num_inner` times; a pair that stands still takes steps of size 0 from then on."""
    threshold, credit = parameters.threshold(linear.constant.shape[-1]), state.u.new_zeros(len(state.u))
    goes_on = torch.ones_like(credit, dtype=torch.bool)
    steps, is_alone = parameters.steps(goes_on), len(goes_on) == 1  # one pair stops, and with it the loop
    for n in range(variant.num_outer * variant.num_inner):
        if not goes_on.any():
            return
        if variant.has_median and n % variant.num_inner == 0:
            state.flow.copy_(torch.where(goes_on[:, None, None, None], median_5x5(state.flow), state.flow))
        moving, credit = variant.stopping(n, iterate(state.views, linear, steps), credit, threshold)
        goes_on = goes_on & moving
        steps = steps if is_alone else parameters.steps(goes_on)


class Linear(NamedTuple):
    """The warped picture around u0: ρ(u) of (1) is `constant` + `gradient` · u."""

    gradient: Tensor  # (B, 2, N)
    constant: Tensor  # (B, 1, N)
    square: Tensor  # (B, 1, N), |∇I1|²

    @classmethod
    def at(cls, I0: Tensor, warped: Tensor, u0: Tensor) -> "Linear":
        I1, I1x, I1y = (warped[:, k : k + 1] for k in range(3))  # (B, 1, H, W)
        constant = I1 - I1x * u0[:, :1] - I1y * u0[:, 1:] - I0
        square = (I1x * I1x + I1y * I1y).clamp_(min=TINY)
        return cls(warped[:, 1:].flatten(2), constant.flatten(2), square.flatten(2))


class Steps(NamedTuple):
    """How far each pair moves: not at all once it has stopped."""

    bound: float  # λθ
    moves: Tensor  # (B, 1, 1), 1 or 0
    theta: Tensor  # (B, 1, 1), θ or 0
    tau: Tensor  # (B, 1, 1), τ/θ or 0


class State:
    """u and p of one scale, rows one behind the other: a line of N = H W pixels with W zeros before and after.

    So a neighbour is a shift, by 1 or by W. p stays 0 in the last column and in the last row, where ∇⁺ is 0: a shift over the edge of
    the picture finds the 0 that div takes outside.
    """

    def __init__(self, u: Tensor) -> None:
        B, _, H, W = u.shape
        self.u = torch.zeros(B, 2, W + H * W + W, device=u.device)
        self.p = torch.zeros(B, 2, 2, W + H * W + W, device=u.device)  # of u1 and u2, along x and y
        self.views = Views.of(self.u, self.p, W)
        self.flow = self.views.u.view(B, 2, H, W)
        self.flow.copy_(u)


class Views(NamedTuple):
    """Each pixel of a `State` and its neighbours; (B, 2, N). On a CPU it pays to cut them once and not in each iteration."""

    W: int
    u: Tensor
    u_right: Tensor
    u_below: Tensor
    p_x: Tensor
    p_y: Tensor
    p_left: Tensor  # p_x of the pixel before
    p_above: Tensor  # p_y of the pixel above
    first_column: tuple[Tensor, Tensor, Tensor]  # of p_x, p_y and p_above

    @classmethod
    def of(cls, u: Tensor, p: Tensor, W: int) -> "Views":
        here, left, right, above, below = (slice(start, u.shape[-1] - 2 * W + start) for start in (W, W - 1, W + 1, 0, 2 * W))
        p_x, p_y, p_left, p_above = p[:, :, 0, here], p[:, :, 1, here], p[:, :, 0, left], p[:, :, 1, above]
        first_column = (p_x[..., ::W], p_y[..., ::W], p_above[..., ::W])
        return cls(W, u[..., here], u[..., right], u[..., below], p_x, p_y, p_left, p_above, first_column)


def iterate(seen: Views, linear: Linear, steps: Steps) -> Tensor:
    """(1) to (4) once, in place; (B,) Σ|Δu|²."""
    W, u, u_right, u_below, p_x, p_y, p_left, p_above, (p_x0, p_y0, p_above0) = seen
    rho = (linear.gradient * u).sum(1, keepdim=True).add_(linear.constant)  # (B, 1, N), (1)
    d = linear.gradient * rho.div_(linear.square).clamp_(-steps.bound, steps.bound).mul_(steps.moves)  # u - v, (2)
    change = (p_x - p_left).add_(p_y - p_above)  # div p
    change[..., ::W] = (p_x0 + p_y0).sub_(p_above0)  # rounded as OpenCV does in its first column
    u.sub_(d).add_(change.mul_(steps.theta))  # (3)
    change.sub_(d)

    x, y = u_right - u, u_below - u  # ∇⁺u
    x[..., W - 1 :: W] = 0
    y[..., -W:] = 0
    norm = torch.hypot(x, y).mul_(steps.tau).add_(1)
    p_x.add_(x.mul_(steps.tau)).div_(norm)
    p_y.add_(y.mul_(steps.tau)).div_(norm)  # (4)
    return change.mul_(change).sum((1, 2))
