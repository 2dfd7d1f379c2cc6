"""One objective: model + batch → named loss terms. A system that trains differently brings an objective, not a loop."""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn
from torch.nn import functional as F

from ml.config.models import NFMML, ModelConfig
from ml.losses.pairs import mean_distances


@dataclass(frozen=True)
class Outcome:
    """What a batch came to: loss terms (scalars; their sum is minimised), scores (B, N) before softmax, and what else is told of it.

    `measures` are scalars that nothing is minimised by.
    """

    losses: dict[str, Tensor]
    scores: Tensor
    measures: dict[str, Tensor] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        return sum(self.losses.values(), start=self.scores.new_zeros(()))


Objective = Callable[[nn.Module, Tensor, Tensor, int], Outcome]
"""(model, x, labels (B,), step) → outcome; `step` is the number of steps behind this one, over all epochs."""


def classification(model: nn.Module, x: Tensor, labels: Tensor, step: int = 0) -> Outcome:  # noqa: ARG001  (it stays the same)
    """Softmax cross-entropy, mean over the batch: −1/B Σ_b log softmax(s_b)[y_b]."""
    scores: Tensor = model(x)  # (B, N)
    return Outcome({"cross_entropy": F.cross_entropy(scores, labels)}, scores)


@dataclass(frozen=True)
class MultiTask:
    """J = λ1 J_c + λ2 J_m (Zhi et al. 2018, eq. 1): classification, and a metric loss of the embeddings.

    During the first `warmup_steps` steps λ2 grows evenly, (step + 1) / (warmup_steps + 1) of it. The terms are told as they are
    minimised, with their weights; among the measures are J_m itself and the mean distances of positive and negative pairs (Fig. 2).
    A validation batch is not made of pairs: only its classification is judged.
    """

    metric_loss: nn.Module
    lambda1: float
    lambda2: float
    warmup_steps: int = 0

    def __call__(self, model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
        if not model.training:
            return classification(model, x, labels)
        scores, embeddings = model(x)  # (B, N), (B, E)
        J_c, J_m = F.cross_entropy(scores, labels), self.metric_loss(embeddings, labels)
        terms = {"classification": self.lambda1 * J_c, "metric": self.lambda2_at(step) * J_m}
        positive, negative = mean_distances(embeddings, labels)
        measures = {"metric_loss": J_m.detach(), "positive_distance": positive, "negative_distance": negative}
        return Outcome(terms, scores, measures)

    def lambda2_at(self, step: int) -> float:
        return self.lambda2 * min(1.0, (step + 1) / (self.warmup_steps + 1))


def build_objective(config: ModelConfig, model: nn.Module) -> Objective:
    """What the system of `config` learns by; `model` is its network."""
    if not isinstance(config, NFMML):
        return classification
    return MultiTask(model.get_submodule("metric_loss"), config.classification_weight, config.metric_weight, config.warmup_steps)
