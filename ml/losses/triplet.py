"""Triplet loss on mined triplets, through pytorch-metric-learning.

Schroff, Kalenichenko & Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015, eq. 2:

    max(0, D_ap − D_an + margin), mean over the triplets (anchor, positive, negative) where it is not 0

with D the Euclidean distance of the embeddings as they are.
"""

from torch import Tensor, nn

from ml.config.losses import Triplet
from ml.losses.pairs import check_pairs, in_single_precision

MINED = {"semihard": "semihard", "hard": "hard", "both": "all"}
"""The library's words; what keeps the margin never counts."""


class TripletLoss(nn.Module):
    """Embeddings (B, D) and labels (B,) → a scalar, 0 where no triplet is left.

    Raises:
        BadBatch: the batch has no positive or no negative pair.
    """

    def __init__(self, margin: float, mining: str) -> None:
        from pytorch_metric_learning.distances import LpDistance
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.miners import TripletMarginMiner

        super().__init__()
        distance = LpDistance(normalize_embeddings=False)
        self.miner = TripletMarginMiner(margin, type_of_triplets=MINED[mining], distance=distance)
        self.loss = TripletMarginLoss(margin, distance=distance)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        check_pairs(labels)
        f = in_single_precision(embeddings)
        loss: Tensor = self.loss(f, labels, self.miner(f, labels))
        return loss


def build_triplet(config: Triplet, embedding_size: int, num_classes: int) -> TripletLoss:  # noqa: ARG001
    return TripletLoss(config.margin, config.mining)
