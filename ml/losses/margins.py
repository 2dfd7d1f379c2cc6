"""The margin α_ik that a lifted structured loss asks between a positive pair (i, j) and a negative pair (i, k).

Zhi et al., "A Deep Metric Learning Based Video Classification Method", JEIT 40(11), 2018, eq. 5 and section 3.2 (3):

    exp: α_ik = exp(D_ij / D_ik)      log: α_ik = ln(D_ij / D_ik)      ratio: α_ik = D_ij / D_ik

The nearer a negative, the larger its margin. The paper's "lg" is the natural logarithm: its equations 3 and 8 hold for no other.

Two guards where the paper asks for D ≠ 0 only: distances count as no smaller than `SHORTEST`, and ratios inside the exponential as no
larger than `LARGEST`, since exp is taken of α once more and J of it squared. Beyond them a margin has no gradient.
"""

from collections.abc import Callable

from torch import Tensor

from ml.config.losses import MarginFunction

SHORTEST = 1e-6
LARGEST = 20.0

Margin = Callable[[Tensor, Tensor], Tensor]
"""(D_ij (|P|, 1), D_ik (|P|, B)) → α_ik (|P|, B); D_ik is infinite where k is no negative of i, and the gradient there is 0."""


def constant(alpha: float) -> Margin:
    """The same for all pairs (Song et al., CVPR 2016)."""
    return lambda _D_ij, D_ik: D_ik.new_full((), alpha)


def ratio(D_ij: Tensor, D_ik: Tensor) -> Tensor:
    return D_ij.clamp(min=SHORTEST) / D_ik.clamp(min=SHORTEST)


def exponential(D_ij: Tensor, D_ik: Tensor) -> Tensor:
    return ratio(D_ij, D_ik).clamp(max=LARGEST).exp()


def logarithm(D_ij: Tensor, D_ik: Tensor) -> Tensor:
    return D_ij.clamp(min=SHORTEST).log() - D_ik.clamp(min=SHORTEST).log()


ADAPTIVE: dict[MarginFunction, Margin] = {"exp": exponential, "log": logarithm, "ratio": ratio}


def margin(function: MarginFunction, alpha: float) -> Margin:
    """The function of that name; `alpha` is the constant one's."""
    return ADAPTIVE.get(function) or constant(alpha)
