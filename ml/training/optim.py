"""SGD with momentum on a step schedule."""

from collections.abc import Sequence

import torch
from torch import nn


def build_optimizer(model: nn.Module, learning_rate: float, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """Over the trainable parameters. Weights decay; biases and normalisation do not."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trainable if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trainable if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum)


def learning_rate_at(epoch: int, initial: float, milestones: Sequence[int], gamma: float) -> float:
    """η = η₀ γ^m in the epoch with this number (from 0), m the number of milestones behind it."""
    return initial * gamma ** sum(epoch >= milestone for milestone in milestones)


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
