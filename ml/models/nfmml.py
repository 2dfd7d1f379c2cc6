"""NFMML: a network that fuses multi-task learning and metric learning.

Zhi, Yu, Li, Gao & Wang, "A Deep Metric Learning Based Video Classification Method", Journal of Electronics & Information Technology
40(11), 2018, doi:10.11999/JEIT171141.

The frame features of K segments are pooled over time into the video feature, on which two branches stand: a classifier and an embedding
f(·), in which distances shall mean likeness. Both are trained together,

    J = λ1 J_c + λ2 J_m                                                                                                  (1)

with J_c the cross-entropy (2) and J_m a loss of metric learning, the paper's own or another one. Tests use the classifier alone; the
scores of the spatial and of the temporal stream are averaged afterwards (section 2.1).

Where the paper is silent or ambiguous, see docs/decisions/010-nfmml.md.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from ml.backbones import build_backbone
from ml.config import models as schemas
from ml.layers.branches import Branches, Space
from ml.layers.over_segments import Average, Convolution, Maximum
from ml.layers.seen import Seen
from ml.layers.segments import SegmentFeatures
from ml.losses import build_loss

GAUSSIAN_STD = 0.001

POOLING: dict[str, Callable[[int], nn.Module]] = {"average": lambda _D: Average(), "max": lambda _D: Maximum(), "convolution": Convolution}
"""Temporal pooling by the number of features D."""


class NFMML(nn.Module):
    """Raw snippets (B, K, C, H, W), or views (B, C, H, W) → `Branches` while training, the scores (B, N) alone in a test.

    `metric_loss` is J_m: what it learns itself, such as proxies, is trained and saved with the network.
    """

    def __init__(
        self,
        features: SegmentFeatures,
        pooling: nn.Module,
        metric_loss: nn.Module,
        num_classes: int,
        embedding_size: int = 1024,
        dropout: float = 0.8,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.features = features
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(features.num_features, num_classes)
        self.embedding = nn.Linear(features.num_features, embedding_size)
        self.metric_loss = metric_loss
        self.space = Space("metric", normalize)

    def forward(self, x: Tensor) -> Branches | Tensor:
        both = self.branches(x)
        return both if self.training else both.scores

    def branches(self, x: Tensor) -> Branches:
        """In the space of the embeddings (B, E) distances mean likeness."""
        video = self.video_features(x)  # (B, D)
        scores: Tensor = self.classifier(self.dropout(video))  # (B, N)
        f: Tensor = self.embedding(video)  # (B, E)
        return Branches(scores, F.normalize(f) if self.space.is_unit else f)

    def video_features(self, x: Tensor) -> Tensor:
        frames = self.features(x)  # (B, K, D)
        video: Tensor = self.pooling(frames)  # (B, D)
        return video


def build_nfmml(config: schemas.NFMML, seen: Seen, num_classes: int) -> NFMML:
    """Raises:
    MissingWeights: `pretrained` asks for weights that this machine does not have.
    """
    backbone = build_backbone(config.backbone, seen.channels, config.pretrained, config.dropout, seen.levels)
    D, E = backbone.num_features, config.embedding_size
    features, pooling = SegmentFeatures(backbone, config.partial_norm), POOLING[config.pooling](D)
    model = NFMML(features, pooling, build_loss(config.loss, E, num_classes), num_classes, E, config.dropout, config.normalize)
    initialise(model.embedding, config.initialisation)
    return model


def initialise(layer: nn.Linear, how: str) -> None:
    """ "xavier", or "gaussian", with which the paper's loss became NaN (section 3.2): ours does not, its distances keep their digits."""
    if how == "xavier":
        nn.init.xavier_uniform_(layer.weight)
    else:
        nn.init.normal_(layer.weight, std=GAUSSIAN_STD)
    nn.init.zeros_(layer.bias)
