"""One stream of a two-stream network.

Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014.

The spatial stream sees one RGB frame, the temporal stream L flow fields stacked over arbitrary τ (eq. 1):

    I_τ(u, v, 2k−1) = d^x_{τ+k−1}(u, v),   I_τ(u, v, 2k) = d^y_{τ+k−1}(u, v),   u = [1; w], v = [1; h], k = [1; L]       (1)

Both are the same network but for the channels of the first layer. Each is trained alone, with softmax and cross-entropy; their class
scores are fused afterwards (section 2), which is the business of `ml.evaluation`.
"""

from typing import Self

from torch import Tensor, nn

from ml.backbones import Backbone, build_backbone
from ml.config.models import TwoStream
from ml.layers.branches import Branches, Space
from ml.layers.seen import Seen


class Stream(nn.Module):
    """Raw input (B, C, H, W), RGB levels or flow in pixels per frame → scores (B, N) before softmax.

    With `last_layer_only` everything but the classifier stays as it was given, running statistics and inner dropout included.
    """

    space = Space()

    def __init__(self, backbone: Backbone, num_classes: int, dropout: float = 0.5, last_layer_only: bool = False) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(backbone.num_features, num_classes)
        self.last_layer_only = last_layer_only
        backbone.requires_grad_(not last_layer_only)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.backbone.train(mode and not self.last_layer_only)
        return self

    def forward(self, x: Tensor) -> Tensor:
        return self.branches(x).scores

    def branches(self, x: Tensor) -> Branches:
        """The embedding (B, D) is what the classifier sees."""
        features = self.backbone(x)  # (B, D)
        scores: Tensor = self.classifier(self.dropout(features))  # (B, N)
        return Branches(scores, features)


def build_two_stream(config: TwoStream, seen: Seen, num_classes: int) -> Stream:
    """Raises:
    MissingWeights: `pretrained` asks for weights that this machine does not have.
    """
    backbone = build_backbone(config.backbone, seen.channels, config.pretrained, config.dropout, seen.levels)
    return Stream(backbone, num_classes, config.dropout, config.trainable == "last_layer")
