"""SGD with momentum on a step schedule, some parameters at a multiple of its learning rate."""

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import nn

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
WITH_BIAS = (*CONVOLUTIONS, nn.Linear)


def build_optimizer(
    model: nn.Module,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    bias_rate: float = 1.0,
    first_layer_rate: float = 1.0,
) -> torch.optim.SGD:
    """Over the trainable parameters. Weights decay; biases and normalisation do not.

    Each learns at the learning rate times `bias_rate`, if it is the bias of a convolution or a linear layer, times `first_layer_rate`,
    if it is the first convolution's. The authors of Wang et al., "Temporal Segment Networks", ECCV 2016, take 2, and 5 for flow.
    """
    biases = {id(layer.bias) for layer in model.modules() if isinstance(layer, WITH_BIAS)}
    first = next((layer for layer in model.modules() if isinstance(layer, CONVOLUTIONS)), nn.Module())
    of_first = {id(parameter) for parameter in first.parameters()}
    groups: defaultdict[tuple[float, bool], list[nn.Parameter]] = defaultdict(list)
    for parameter in (each for each in model.parameters() if each.requires_grad):
        rate = (bias_rate if id(parameter) in biases else 1.0) * (first_layer_rate if id(parameter) in of_first else 1.0)
        groups[rate, parameter.ndim > 1].append(parameter)
    return torch.optim.SGD(
        [
            {"params": parameters, "lr": learning_rate * rate, "rate": rate, "weight_decay": weight_decay if decays else 0.0}
            for (rate, decays), parameters in groups.items()
        ],
        momentum=momentum,
    )


def learning_rate_at(epoch: int, initial: float, milestones: Sequence[int], gamma: float) -> float:
    """η = η₀ γ^m in the epoch with this number (from 0), m the number of milestones behind it."""
    return initial * gamma ** sum(epoch >= milestone for milestone in milestones)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Of an optimizer that `build_optimizer` built: each group keeps its multiple."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group["rate"]
