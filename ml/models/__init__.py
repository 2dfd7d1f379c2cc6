"""One file a paper."""

from collections.abc import Callable

from torch import nn

from ml.backbones import Backbone
from ml.config.models import NFMML, TSN, ModelConfig, SlowFusion, TwoStream
from ml.config.schema import Schema
from ml.models.nfmml import build_nfmml
from ml.models.slow_fusion import build_slow_fusion
from ml.models.tsn import build_tsn
from ml.models.two_stream import build_two_stream

MODELS: dict[type[Schema], Callable[..., nn.Module]] = {
    TwoStream: build_two_stream,
    SlowFusion: build_slow_fusion,
    TSN: build_tsn,
    NFMML: build_nfmml,
}


def build_model(config: ModelConfig, in_channels: int, num_classes: int, num_segments: int = 1, levels: float | None = None) -> nn.Module:
    """The network of `config`: raw snippets (B, K, C, H, W), or views (B, C, H, W) → scores (B, N) before softmax.

    While it trains it returns what its objective needs (`ml.training.objective`).

    Args:
        levels: what `Modality.levels` says; None for RGB of three channels, and for flow.

    Raises:
        MissingWeights: the config asks for weights that this machine does not have.
    """
    model = MODELS[type(config)](config, in_channels, num_classes, num_segments)
    if levels is not None:
        for backbone in (part for part in model.modules() if isinstance(part, Backbone)):
            backbone.expect(levels)
    return model
