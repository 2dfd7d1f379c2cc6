"""One file a paper."""

from collections.abc import Callable

from torch import nn

from ml.config.models import NFMML, TSN, ModelConfig, SlowFusion, TwoStream
from ml.config.schema import Schema
from ml.layers.seen import Seen
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
        levels: of 0..255 in one unit of an input centred on 0 (`Modality.levels`); None: pictures, three channels each.

    Raises:
        MissingWeights: the config asks for weights that this machine does not have.
    """
    return MODELS[type(config)](config, Seen(in_channels, num_segments, levels), num_classes)
