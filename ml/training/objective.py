"""One objective: model + batch → named loss terms. A system that trains differently brings an objective, not a loop."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Outcome:
    """What a batch came to: loss terms (scalars; their sum is minimised) and scores (B, N) before softmax."""

    losses: dict[str, Tensor]
    scores: Tensor

    @property
    def total(self) -> Tensor:
        return sum(self.losses.values(), start=self.scores.new_zeros(()))


Objective = Callable[[nn.Module, Tensor, Tensor], Outcome]
"""(model, x, labels (B,)) → outcome."""


def classification(model: nn.Module, x: Tensor, labels: Tensor) -> Outcome:
    """Softmax cross-entropy, mean over the batch: −1/B Σ_b log softmax(s_b)[y_b]."""
    scores: Tensor = model(x)  # (B, N)
    return Outcome({"cross_entropy": F.cross_entropy(scores, labels)}, scores)
