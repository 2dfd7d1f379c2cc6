"""What becomes of K segments: (B, K, D) → (B, D). One segment becomes itself.

Over scores this is the consensus of Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.1; over features it is the temporal
pooling of Zhi et al., "A Deep Metric Learning Based Video Classification Method", JEIT 40(11), 2018, section 2.1.
"""

import torch
from torch import Tensor, nn


class Average(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)


class Maximum(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=1)


class Weighted(nn.Module):
    """Σ_k w_k x_k with weights that are learnt, one a segment.

    Deviation: w = softmax of the parameters, so that the weights sum to 1 and a view, which a test scores alone, keeps its scale.
    """

    def __init__(self, num_segments: int) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(num_segments))

    def forward(self, x: Tensor) -> Tensor:
        """Raises:
        ValueError: neither one segment nor as many as there are weights.
        """
        if x.shape[1] == 1:
            return x[:, 0]
        if x.shape[1] != len(self.logits):
            raise ValueError(f"expected {len(self.logits)} segments, got {x.shape[1]}")
        return torch.einsum("k,bkd->bd", self.logits.softmax(dim=0), x)


class Convolution(nn.Module):
    """The mean over time after a convolution of width 3 in each feature, which starts as the mean alone."""

    def __init__(self, num_features: int) -> None:
        super().__init__()
        self.filter = nn.Conv1d(num_features, num_features, 3, padding=1, groups=num_features, bias=False)
        nn.init.dirac_(self.filter.weight, groups=num_features)

    def forward(self, x: Tensor) -> Tensor:
        filtered: Tensor = self.filter(x.transpose(1, 2))  # (B, D, K)
        return filtered.mean(dim=2)
