"""Additive angular margin loss, through pytorch-metric-learning.

Deng, Guo, Xue & Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, eq. 3: softmax cross-entropy
over s cos θ_n, θ_n the angle of an embedding to the direction of class n, where the angle to its own class is widened by the margin.
"""

from torch import Tensor, nn

from ml.config.losses import ArcFace
from ml.losses.pairs import in_single_precision


class ArcFaceLoss(nn.Module):
    """Embeddings (B, D) and labels (B,) → a scalar. The directions are its parameters and learn with the network."""

    def __init__(self, num_classes: int, embedding_size: int, margin_degrees: float, scale: float) -> None:
        from pytorch_metric_learning.losses import ArcFaceLoss as ArcFaceOfLibrary

        super().__init__()
        self.loss = ArcFaceOfLibrary(num_classes, embedding_size, margin_degrees, scale)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = self.loss(in_single_precision(embeddings), labels)
        return loss


def build_arc_face(config: ArcFace, embedding_size: int, num_classes: int) -> ArcFaceLoss:
    return ArcFaceLoss(num_classes, embedding_size, config.margin, config.scale)
