"""Supervised contrastive loss, through pytorch-metric-learning.

Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020, eq. 2, with s_ij the cosine of two embeddings and τ the temperature:

    −1/B Σ_i 1/|P(i)| Σ_{p∈P(i)} ln( exp(s_ip / τ) / Σ_{a≠i} exp(s_ia / τ) )
"""

from torch import Tensor, nn

from ml.config.losses import SupCon
from ml.losses.pairs import check_pairs, in_single_precision


class SupervisedContrastiveLoss(nn.Module):
    """Embeddings (B, D) and labels (B,) → a scalar: the mean over anchors whose term is not 0.

    Raises:
        BadBatch: the batch has no positive or no negative pair.
    """

    def __init__(self, temperature: float) -> None:
        from pytorch_metric_learning.losses import SupConLoss

        super().__init__()
        self.loss = SupConLoss(temperature)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        check_pairs(labels)
        loss: Tensor = self.loss(in_single_precision(embeddings), labels)
        return loss


def build_sup_con(config: SupCon, embedding_size: int, num_classes: int) -> SupervisedContrastiveLoss:  # noqa: ARG001
    return SupervisedContrastiveLoss(config.temperature)
