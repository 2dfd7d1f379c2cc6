"""TV-L1 as a GPU is fast at it: the equations of `ml.flow.tv_l1` without a write in place, a plane for each unknown.

Compiled, an iteration goes over the memory twice, once for u (1 to 3) and once for p (4), which sees the new u of its neighbours; a kernel
for each operation would go over it some forty times. Iterations are compiled in twos, so that the processor, which starts the kernels, is
ahead of the GPU. All this moves results by rounding only.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ml.compiling import why_not_compiled
from ml.flow.images import TINY, median_5x5, warp

if TYPE_CHECKING:
    from ml.flow.tv_l1 import Parameters, Refine, Variant

BATCH = 64
AT_ONCE = 2  # iterations in one compiled call
LOOK = 6  # iterations between two looks at whether all pairs have stopped: each look waits for the GPU


class Unknowns(NamedTuple):
    """u1 and u2, and p of each along x and y; (B, H, W)."""

    u1: Tensor
    u2: Tensor
    p1x: Tensor
    p1y: Tensor
    p2x: Tensor
    p2y: Tensor


class Linear(NamedTuple):
    """The warped picture around u0: ρ(u) of (1) is constant + I1x u1 + I1y u2; (B, H, W)."""

    I1x: Tensor
    I1y: Tensor
    constant: Tensor


class Pairs(NamedTuple):
    """Of each pair, (B,): whether it goes on, and what `Variant.stopping` keeps and compares with."""

    goes_on: Tensor
    credit: Tensor
    threshold: Tensor

    @classmethod
    def like(cls, u: Tensor, threshold: float) -> "Pairs":
        """All go on; u is (B, ...)."""
        B = len(u)
        return cls(u.new_ones(B, dtype=torch.bool), u.new_zeros(B), u.new_full((B,), threshold))


class Kernels(NamedTuple):
    """What goes over all pixels."""

    linearised: "Callable[[Tensor, Tensor, Unknowns, Variant], Linear]"
    smooth: Callable[[Unknowns, Tensor], None]
    iterate: "Callable[[Unknowns, Linear, Pairs, Parameters, Variant], None]"


def linearised(I0: Tensor, images: Tensor, x: Unknowns, variant: "Variant") -> Linear:
    """I0 (B, 1, H, W), and I1 with its gradient (B, 3, H, W), which are warped by the u of the moment."""
    I1, I1x, I1y = warp(images, torch.stack((x.u1, x.u2), 1), variant.cubic_a, variant.is_clamped).unbind(1)
    return Linear(I1x, I1y, I1 - I1x * x.u1 - I1y * x.u2 - I0[:, 0])


def smooth(x: Unknowns, goes_on: Tensor) -> None:
    """The median of u, for pairs that go on."""
    medians = median_5x5(torch.stack((x.u1, x.u2), 1)).unbind(1)
    for u, median in zip((x.u1, x.u2), medians, strict=True):
        u.copy_(torch.where(goes_on[:, None, None], median, u))


def iterate(x: Unknowns, linear: Linear, pairs: Pairs, parameters: "Parameters", variant: "Variant") -> None:
    """(1) to (4), `AT_ONCE` times, from an even iteration on; a pair that stands still takes steps of size 0."""
    u1, u2, p1x, p1y, p2x, p2y = x
    I1x, I1y, constant = linear
    goes_on, credit, threshold = pairs
    bound = parameters.lambda_ * parameters.theta
    for n in range(AT_ONCE):
        moves = goes_on.float()[:, None, None]
        rho = constant + I1x * u1 + I1y * u2  # (1)
        step = (rho / (I1x * I1x + I1y * I1y).clamp(min=TINY)).clamp(-bound, bound)
        change1 = moves * (parameters.theta * _div(p1x, p1y) - step * I1x)  # (2), (3)
        change2 = moves * (parameters.theta * _div(p2x, p2y) - step * I1y)
        u1, u2 = u1 + change1, u2 + change2
        tau = moves * (parameters.tau / parameters.theta)
        (p1x, p1y), (p2x, p2y) = _dual(u1, p1x, p1y, tau), _dual(u2, p2x, p2y, tau)  # (4)
        error = (change1 * change1 + change2 * change2).sum(2).sum(1)  # by rows: along with the changes themselves
        moving, credit = variant.stopping(n, error, credit, threshold)
        goes_on = goes_on & moving
    for old, new in zip((*x, pairs.goes_on, pairs.credit), (u1, u2, p1x, p1y, p2x, p2y, goes_on, credit), strict=True):
        old.copy_(new)


def _div(p_x: Tensor, p_y: Tensor) -> Tensor:
    """Backward differences, summed in the order in which OpenCV does."""
    left, above = pad(p_x, (1, 0))[..., :-1], pad(p_y, (0, 0, 1, 0))[..., :-1, :]
    is_first = torch.arange(p_x.shape[-1], device=p_x.device) == 0
    return torch.where(is_first, p_x + p_y - above, (p_x - left) + (p_y - above))


def _dual(u: Tensor, p_x: Tensor, p_y: Tensor, tau: Tensor) -> tuple[Tensor, Tensor]:
    """(4) of one component."""
    x, y = pad(u[..., 1:] - u[..., :-1], (0, 1)), pad(u[:, 1:] - u[:, :-1], (0, 0, 0, 1))  # ∇⁺u
    norm = 1 + tau * torch.hypot(x, y)
    return (p_x + tau * x) / norm, (p_y + tau * y) / norm


PLAIN = Kernels(linearised, smooth, iterate)
"""As they are: for tests, and for a machine on which nothing compiles."""


def kernels(device: str) -> Kernels:
    """Compiled, once for all sizes; where torch.compile does not work as they are, with a warning: the same numbers, later."""
    if reason := why_not_compiled(device):
        warnings.warn(f"TV-L1 runs uncompiled, hence slower: {reason}", RuntimeWarning, stacklevel=2)
        return PLAIN
    return Kernels(*map(_compiled, PLAIN))


def _compiled(function: Any) -> Any:
    return torch.compile(function, dynamic=True)


def refiner(device: str) -> "Refine":
    """`refined` with the kernels of the device."""
    return partial(refined, kernels=kernels(device))


def refined(I0: Tensor, images: Tensor, u: Tensor, parameters: "Parameters", variant: "Variant", kernels: Kernels = PLAIN) -> Tensor:
    """A `Refine`, in the order of the CPU's."""
    B, _, H, W = u.shape
    x = Unknowns(*(u.new_zeros(B, H, W) for _ in range(6)))
    x.u1.copy_(u[:, 0])
    x.u2.copy_(u[:, 1])
    threshold = parameters.threshold(H * W)
    for _ in range(parameters.num_warps):
        linear, pairs = kernels.linearised(I0, images, x, variant), Pairs.like(u, threshold)
        for n in _until_still(pairs, variant):
            if variant.has_median and n % variant.num_inner == 0:
                kernels.smooth(x, pairs.goes_on)
            kernels.iterate(x, linear, pairs, parameters, variant)
    return torch.stack((x.u1, x.u2), 1)


def _until_still(pairs: Pairs, variant: "Variant") -> Iterator[int]:
    """The numbers of iterations with which a compiled call begins."""
    for n in range(0, variant.num_outer * variant.num_inner, AT_ONCE):
        if n % LOOK == 0 and not pairs.goes_on.any():
            return
        yield n
