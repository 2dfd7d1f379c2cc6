"""The step schedule, and what is decayed."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from ml.config.models import TSN
from ml.models import build_model
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


@pytest.mark.parametrize("partial_norm", [False, True])
def test_the_authors_rates_and_decays_are_those_of_their_five_groups(partial_norm: bool) -> None:
    """tsn-pytorch, flow: first convolution 5 (decayed) and its bias 10, other weights 1 (decayed), other biases 2, normalisation 1."""
    model = build_model(TSN(backbone="bn_inception", partial_norm=partial_norm), 10, 2, 3, levels=1.0)
    optimizer = build_optimizer(model, 0.001, 0.9, 5e-4, bias_rate=2, first_layer_rate=5)
    set_learning_rate(optimizer, 0.01)
    found = {id(one): (group["lr"], group["weight_decay"]) for group in optimizer.param_groups for one in group["params"]}

    for name, parameter in model.named_parameters():
        kind = "norm" if "_bn." in name else name.rpartition(".")[2]
        place = "first " if "conv1_7x7_s2." in name else ""
        expected = {
            "weight": (0.01, 5e-4),
            "bias": (0.02, 0.0),
            "norm": (0.01, 0.0),
            "first weight": (0.05, 5e-4),
            "first bias": (0.1, 0.0),
        }[f"{place}{kind}"]
        assert found.pop(id(parameter), None) == (expected if parameter.requires_grad else None), name
    assert not found


def test_multiples_of_one_are_plain_sgd_bit_for_bit() -> None:
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    grouped = deepcopy(plain)
    weights, others = ([one for one in plain.parameters() if (one.ndim > 1) == is_weight] for is_weight in (True, False))
    optimizers = (
        torch.optim.SGD([{"params": weights, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=0.1, momentum=0.9),
        build_optimizer(grouped, 0.1, 0.9, 0.1),
    )
    for _ in range(3):
        x = torch.randn(2, 3, 3, 3)
        for net, optimizer in zip((plain, grouped), optimizers, strict=True):
            optimizer.zero_grad()
            torch.autograd.backward(net(x).square().sum())
            optimizer.step()

    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), grouped.parameters(), strict=True))


def test_a_bias_learns_as_much_faster_as_is_asked_for() -> None:
    net = nn.Linear(2, 1)
    bias = net.bias.item()
    optimizer = build_optimizer(net, 0.1, 0.0, 0.0, bias_rate=3)
    torch.autograd.backward(net(torch.ones(1, 2)).sum())  # the gradient is 1
    optimizer.step()

    assert net.bias.item() == pytest.approx(bias - 0.3)
