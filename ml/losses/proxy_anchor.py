"""Proxy anchor loss, through pytorch-metric-learning.

Kim, Kim, Cho & Kwak, "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020, eq. 4, with s(x, p) the cosine of an embedding and a
class's proxy, P⁺ the proxies of the classes in the batch, P all of them, X⁺ and X⁻ the embeddings of the proxy's class and of others:

    1/|P⁺| Σ_{p∈P⁺} ln(1 + Σ_{x∈X⁺} exp(−α (s(x, p) − δ))) + 1/|P| Σ_{p∈P} ln(1 + Σ_{x∈X⁻} exp(α (s(x, p) + δ)))
"""

from torch import Tensor, nn

from ml.config.losses import ProxyAnchor
from ml.losses.pairs import in_single_precision


class ProxyAnchorLoss(nn.Module):
    """Embeddings (B, D) and labels (B,) → a scalar. The proxies are its parameters and learn with the network."""

    def __init__(self, num_classes: int, embedding_size: int, margin: float, alpha: float) -> None:
        from pytorch_metric_learning.losses import ProxyAnchorLoss as ProxyAnchorOfLibrary

        super().__init__()
        self.loss = ProxyAnchorOfLibrary(num_classes, embedding_size, margin, alpha)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        loss: Tensor = self.loss(in_single_precision(embeddings), labels)
        return loss


def build_proxy_anchor(config: ProxyAnchor, embedding_size: int, num_classes: int) -> ProxyAnchorLoss:
    return ProxyAnchorLoss(num_classes, embedding_size, config.margin, config.alpha)
