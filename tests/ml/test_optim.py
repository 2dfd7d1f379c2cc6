"""The step schedule, and what is decayed."""

import pytest
import torch
from torch import nn

from ml.training.optim import build_optimizer, learning_rate_at, set_learning_rate


def test_the_learning_rate_is_multiplied_after_each_milestone() -> None:
    rates = [learning_rate_at(epoch, 1e-2, (50, 70), 0.1) for epoch in (0, 49, 50, 69, 70, 79)]

    assert rates == pytest.approx([1e-2, 1e-2, 1e-3, 1e-3, 1e-4, 1e-4])


def test_no_milestones_mean_a_constant_rate() -> None:
    assert learning_rate_at(10_000, 0.3, (), 0.1) == 0.3


def test_a_step_is_momentum_sgd_with_decay_of_weights_alone() -> None:
    net = nn.Linear(2, 1)
    weight, bias = net.weight.detach().clone(), net.bias.detach().clone()
    optimizer = build_optimizer(net, learning_rate=0.1, momentum=0.9, weight_decay=0.5)
    velocity_w, velocity_b = torch.zeros(1, 2), torch.zeros(1)

    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(net(torch.ones(1, 2)).sum())  # the gradient is 1 everywhere
        optimizer.step()
        velocity_w = 0.9 * velocity_w + 1 + 0.5 * weight
        velocity_b = 0.9 * velocity_b + 1
        weight, bias = weight - 0.1 * velocity_w, bias - 0.1 * velocity_b

    torch.testing.assert_close(net.weight.detach(), weight)
    torch.testing.assert_close(net.bias.detach(), bias)


def test_frozen_parameters_are_not_in_the_optimizer() -> None:
    net = nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 2))

    optimizer = build_optimizer(net, 0.1, 0.9, 0.0)

    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert held == {id(parameter) for parameter in net[1].parameters()}


def test_setting_the_rate_reaches_every_group() -> None:
    optimizer = build_optimizer(nn.Linear(2, 2), 0.1, 0.9, 1e-4)

    set_learning_rate(optimizer, 0.02)

    assert [group["lr"] for group in optimizer.param_groups] == [0.02, 0.02]
