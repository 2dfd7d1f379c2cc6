"""Partial batch normalisation: all but the first keep what pre-training gave them.

Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.2: a small data set would estimate statistics badly; those of the input
are re-estimated all the same, since flow is not distributed as RGB is. As in the authors' code, scale and shift are kept as well.
"""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def freeze_weights(net: nn.Module) -> None:
    """Scale and shift of all but the first get no gradient."""
    for layer in _all_but_the_first(net):
        layer.requires_grad_(False)


def freeze_statistics(net: nn.Module) -> None:
    """All but the first normalise with their running statistics; to be called whenever the network is set to train."""
    for layer in _all_but_the_first(net):
        layer.eval()


def _all_but_the_first(net: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in net.modules() if isinstance(layer, _BatchNorm)][1:]
