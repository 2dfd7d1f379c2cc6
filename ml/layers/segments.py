"""One network over all snippets of a video (Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.1)."""

from typing import Self

from torch import Tensor, nn

from ml.backbones import Backbone
from ml.layers.partial_norm import freeze_statistics, freeze_weights


class SegmentFeatures(nn.Module):
    """Snippets (B, K, C, H, W) → features (B, K, D). A view (B, C, H, W), as a test shows it, is a video of one segment.

    With `partial_norm` the statistics and weights of all batch normalisations but the first stay as they were given.
    """

    def __init__(self, backbone: Backbone, partial_norm: bool = False) -> None:
        super().__init__()
        self.backbone = backbone
        self.num_features = backbone.num_features
        self.partial_norm = partial_norm
        if partial_norm:
            freeze_weights(backbone)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if mode and self.partial_norm:
            freeze_statistics(self.backbone)
        return self

    def forward(self, x: Tensor) -> Tensor:
        snippets = x if x.ndim == 5 else x[:, None]  # (B, K, C, H, W)
        features: Tensor = self.backbone(snippets.flatten(0, 1))  # (B·K·P, D); P = 1 unless the backbone slides over P positions
        return features.view(*snippets.shape[:2], -1, self.num_features).transpose(1, 2).flatten(0, 1)  # (B·P, K, D)
