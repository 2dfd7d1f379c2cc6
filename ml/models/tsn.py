"""Temporal segment network.

Wang, Xiong, Wang, Qiao, Lin, Tang & Van Gool, "Temporal Segment Networks: Towards Good Practices for Deep Action Recognition", ECCV 2016.

A video is cut into K segments of equal length, T_k is a snippet from the k-th, F(T_k; W) its class scores by a network with weights W
that all segments share, G their consensus and H the softmax:

    TSN(T_1, …, T_K) = H(G(F(T_1; W), …, F(T_K; W)))                                                                    (1)

Trained by cross-entropy of the consensus. Tested on 25 snippets × 10 crops one by one, their scores before softmax averaged
(`Protocol.aggregation` = logits). Deviation: where the consensus is no average, a test groups the views into videos of K segments, so that
what was trained is what is tested; the authors average the views whatever the consensus.
"""

from collections.abc import Callable

from torch import Tensor, nn

from ml.backbones import build_backbone
from ml.config import models as schemas
from ml.layers.branches import Branches, Space
from ml.layers.over_segments import Average, Maximum, Weighted
from ml.layers.seen import Seen
from ml.layers.segments import SegmentFeatures

CLASSIFIER_STD = 0.001
"""Of the classifier's weights at the start, in the authors' code."""

CONSENSUS: dict[str, Callable[[int], nn.Module]] = {"average": lambda _K: Average(), "max": lambda _K: Maximum(), "weighted": Weighted}
"""G by the number of segments K."""


class TSN(nn.Module):
    """Raw snippets (B, K, C, H, W), or views (B, C, H, W) → scores (B, N) before softmax."""

    space = Space()

    def __init__(self, features: SegmentFeatures, consensus: nn.Module, num_classes: int, dropout: float = 0.8) -> None:
        super().__init__()
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(features.num_features, num_classes)
        self.consensus = consensus
        nn.init.normal_(self.classifier.weight, std=CLASSIFIER_STD)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.branches(x).scores

    def branches(self, x: Tensor) -> Branches:
        """The embedding (B, D) is the mean of the segments' features."""
        features = self.features(x)  # (B, K, D)
        snippet_scores = self.classifier(self.dropout(features))  # (B, K, N)
        scores: Tensor = self.consensus(snippet_scores)  # (B, N)
        return Branches(scores, features.mean(dim=1))


def build_tsn(config: schemas.TSN, seen: Seen, num_classes: int) -> TSN:
    """Raises:
    MissingWeights: `pretrained` asks for weights that this machine does not have.
    """
    backbone = build_backbone(config.backbone, seen.channels, config.pretrained, config.dropout, seen.levels)
    features = SegmentFeatures(backbone, config.partial_norm)
    return TSN(features, CONSENSUS[config.consensus](seen.segments), num_classes, config.dropout)
