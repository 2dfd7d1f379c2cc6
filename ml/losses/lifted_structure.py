"""The lifted structured loss, with constant and with adaptive margins.

Song, Xiang, Jegelka & Savarese, "Deep Metric Learning via Lifted Structured Feature Embedding", CVPR 2016, and Zhi et al., "A Deep
Metric Learning Based Video Classification Method", JEIT 40(11), 2018, eq. 4 to 9. P are the unordered positive pairs of a batch, N its
negative pairs, D_ij = ‖f_i − f_j‖₂ of embeddings that are not normalised:

    J_m  = 1 / (2|P|) Σ_{(i,j)∈P} max(0, J_ij)²                                                                      (4, 6)
    J_ij = ln( Σ_{(i,k)∈N} exp(α_ik − D_ik) + Σ_{(j,l)∈N} exp(α_jl − D_jl) ) + D_ij

With S_ij = ln Σ_{(i,k)∈N} exp(α_ik − D_ik), taken with its largest term outside, J_ij = ln(e^S_ij + e^S_ji) + D_ij never overflows. An
adaptive α_ik depends on j too, so S has a row for every positive pair: time and memory are O(|P|·B).

The gradients the paper prints,

    ∂J_m/∂D_ij = J_ij 1[J_ij > 0] / |P|                                                                                 (7)
    ∂J_m/∂D_ik = −J_ij 1[J_ij > 0] / |P| · (D_ij/D_ik² α_ik + 1) exp(α_ik − D_ik) / exp(J_ij − D_ij)                 (8, 9)

are not those of (6): (7) leaves out that D_ij moves the margins as well. They are exact when D_ij inside the margin is held fixed. So
both are offered: `paper` holds it fixed, as the authors' results were got; `full` is the gradient of the loss as it is written, which
also shortens D_ij in order to narrow the margins. With a constant margin they are the same.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ml.config.losses import LiftedStructure
from ml.losses.margins import Margin, margin
from ml.losses.pairs import check_pairs, distances, in_single_precision, negatives, positive_pairs


class LiftedStructureLoss(nn.Module):
    """Embeddings (B, D) and labels (B,) → J_m, a scalar.

    Raises:
        BadBatch: the batch has no positive or no negative pair.
    """

    def __init__(self, margin: Margin, hold_margin: bool) -> None:
        super().__init__()
        self.margin, self.hold_margin = margin, hold_margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        check_pairs(labels)
        return lifted_structure(distances(in_single_precision(embeddings)), labels, self.margin, self.hold_margin)


def lifted_structure(D: Tensor, labels: Tensor, margin: Margin, hold_margin: bool) -> Tensor:
    """J_m of the distances (B, B); with `hold_margin` the gradient is that of equations 7 to 9."""
    i, j = positive_pairs(labels)  # (|P|,) each
    D_ij = D[i, j]  # (|P|,)
    D_neg = D.masked_fill(~negatives(labels), torch.inf)  # (B, B): what is no negative is infinitely far
    D_ik, D_jl = D_neg[i], D_neg[j]  # (|P|, B) each
    held = (D_ij.detach() if hold_margin else D_ij)[:, None]  # (|P|, 1)
    S_ij = torch.logsumexp(margin(held, D_ik) - D_ik, dim=1)  # (|P|,)
    S_ji = torch.logsumexp(margin(held, D_jl) - D_jl, dim=1)  # (|P|,)
    J_ij = torch.logaddexp(S_ij, S_ji) + D_ij  # (|P|,)
    return F.relu(J_ij).square().sum() / (2 * len(i))


def build_lifted_structure(config: LiftedStructure, embedding_size: int, num_classes: int) -> LiftedStructureLoss:  # noqa: ARG001
    """It knows neither size: every loss in the table is built alike."""
    return LiftedStructureLoss(margin(config.margin, config.alpha), config.gradient == "paper")
