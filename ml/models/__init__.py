"""One file a paper."""

from collections.abc import Callable

from torch import nn

from ml.config.models import ModelConfig, TwoStream
from ml.config.schema import Schema
from ml.models.two_stream import build_two_stream

MODELS: dict[type[Schema], Callable[..., nn.Module]] = {
    TwoStream: build_two_stream,
}


def build_model(config: ModelConfig, in_channels: int, num_classes: int) -> nn.Module:
    """The network of `config`: raw input (B, C, H, W) → scores (B, N) before softmax.

    Raises:
        MissingWeights: the config asks for weights that this machine does not have.
    """
    return MODELS[type(config)](config, in_channels, num_classes)
