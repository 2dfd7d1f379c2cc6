"""What every backbone in the table must do."""

from typing import get_args

import pytest
import torch
from torch import Tensor

from ml.backbones import BACKBONES
from ml.config.models import Backbone as Name
from ml.config.models import TwoStream
from ml.models import build_model
from ml.models.two_stream import Stream

N = 5


@pytest.fixture(scope="module", params=list(BACKBONES))
def stream(request: pytest.FixtureRequest) -> Stream:
    torch.manual_seed(0)
    return built(request.param)


def built(name: Name) -> Stream:
    stream = build_model(TwoStream(backbone=name), in_channels=4, num_classes=N, levels=1.0)
    assert isinstance(stream, Stream)
    return stream


def flow(stream: Stream) -> Tensor:
    side = max(recipe.min_size for recipe in BACKBONES.values() if recipe.num_features == stream.backbone.num_features)
    return torch.randn(2, 4, side, side, generator=torch.Generator().manual_seed(0)) * 3


def test_every_name_that_a_config_can_ask_for_is_in_the_table() -> None:
    assert set(BACKBONES) == set(get_args(Name))


def test_scores_are_finite_and_have_one_column_per_class(stream: Stream) -> None:
    stream.eval()
    with torch.no_grad():
        scores = stream(flow(stream))

    assert scores.shape == (2, N)
    assert bool(scores.isfinite().all())


def test_every_parameter_gets_a_gradient(stream: Stream) -> None:
    """In evaluation mode: behind batch statistics a bias has none, by definition. Zero-initialised branches are opened first."""
    stream.eval()
    with torch.no_grad():
        for parameter in stream.parameters():
            if not parameter.any():
                parameter.fill_(0.1)

    gradients = torch.autograd.grad(stream(flow(stream)).square().sum(), list(stream.parameters()))

    names = [name for name, _ in stream.named_parameters()]
    assert [name for name, gradient in zip(names, gradients, strict=True) if not gradient.any()] == []


def test_the_state_dict_goes_round(stream: Stream) -> None:
    stream.eval()
    state = {name: tensor.clone() for name, tensor in stream.state_dict().items()}
    with torch.no_grad():
        before = stream(flow(stream))
        for parameter in stream.parameters():
            parameter.add_(0.01)

        stream.load_state_dict(state)

        assert torch.equal(stream(flow(stream)), before)


def test_the_declared_number_of_features_is_what_comes_out(stream: Stream) -> None:
    stream.eval()
    with torch.no_grad():
        assert stream.backbone(flow(stream)).shape == (2, stream.backbone.num_features)
