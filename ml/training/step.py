"""One step of learning: a batch in parts, in the precision asked for, its gradients summed over the team."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from ml.config.training import TrainingConfig
from ml.training.loading import Batch
from ml.training.objective import Objective, Outcome
from ml.training.optim import build_optimizer
from ml.training.tally import Tally
from ml.training.team import Team
from ml.words import Words

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LEAST_SCALE = 1.0
"""Of float16: gradients that overflow even when they are not scaled up are not the precision's fault."""

_CHANCE = 4  # which stream of random numbers; those of the data are others


class Diverged(ArithmeticError):
    """A number that is no longer finite, and what it is of."""


class Learner:
    """Makes a model learn from batches; what a step does depends on the model, the batch and the step's number alone."""

    def __init__(self, model: nn.Module, objective: Objective, config: TrainingConfig, team: Team) -> None:
        self.model, self.objective, self.config, self.team = model, objective, config, team
        rates = config.learning_rate, config.momentum, config.weight_decay, config.bias_rate, config.first_layer_rate
        self.optimizer = build_optimizer(model, *rates)
        self.scaler = torch.amp.GradScaler(team.device.type, enabled=config.precision == "float16")

    @property
    def at_once(self) -> int:
        """Most videos on this device at a time."""
        return self.config.micro_batch or -(-self.config.batch_size // self.team.size)

    def learn(self, x: Tensor, labels: Tensor, step: int) -> Tally:
        """A step from this process's share of a batch: x (b, C, H, W) or (b, K, C, H, W), labels (b,); the tally is the whole batch's.

        With B videos in the batch and loss terms that are means over the videos they are given, the gradient is Σ_parts b/B ∇L(part):
        that of the mean over the batch, however it was cut.

        Raises:
            Diverged: a loss term or a gradient; the weights are as they were.
        """
        self._seed(step)
        self.optimizer.zero_grad()
        tally = Tally()
        num_parts = -(-len(x) // self.at_once)
        for part, its_labels in zip(x.tensor_split(num_parts), labels.tensor_split(num_parts), strict=True):
            part, its_labels = self._here(part), self._here(its_labels)
            outcome = self.judge(part, its_labels, step)
            torch.autograd.backward(self.scaler.scale(outcome.total * (len(part) / self.config.batch_size)))
            tally.add(outcome, its_labels)
        tally = tally.summed(self.team.sum, outcome.scores.shape[1])
        self._check_losses(tally)
        self._apply_gradients()
        return tally

    def judge(self, x: Tensor, labels: Tensor, step: int) -> Outcome:
        """What a batch on this device comes to, in the precision asked for."""
        precision = PRECISIONS[self.config.precision]
        with torch.autocast(self.team.device.type, precision, enabled=precision != torch.float32):
            return self.objective(self.model, x, labels, step)

    def evaluate(self, batches: Iterable[Batch], step: int, must_stop: Callable[[], bool]) -> Tally | None:
        """The tally of the network as it is in use; None when it must stop meanwhile."""
        tally = Tally()
        self.model.eval()
        with torch.inference_mode():
            for x, labels in batches:
                if must_stop():
                    return None
                labels = self._here(labels)
                tally.add(self.judge(self._here(x), labels, step), labels)
        return tally

    def _here(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.team.device, non_blocking=True)

    def _seed(self, step: int) -> None:
        """Chance within a step, as in dropout, is a function of the step: nothing of it need be saved."""
        numbers = np.random.SeedSequence((_CHANCE, self.config.seed, step, self.team.rank))
        torch.manual_seed(int(numbers.generate_state(1)[0]))

    def _check_losses(self, tally: Tally) -> None:
        for name, loss in tally.losses.items():
            if not math.isfinite(loss):
                raise Diverged(Words("The loss “{name}” became {value}", name=name, value=loss))

    def _apply_gradients(self) -> None:
        parameters = list(self.model.parameters())
        self.team.sum_gradients(parameters)
        self.scaler.unscale_(self.optimizer)
        norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
        if not norm.isfinite() and self.scaler.get_scale() <= LEAST_SCALE:
            raise Diverged(Words("The gradient of {name} became {value}", name=self._first_broken(), value=norm.item()))
        if self.config.clip_norm:
            clip_grads_with_norm_(parameters, self.config.clip_norm, norm)
        self.scaler.step(self.optimizer)  # of float16: unless a gradient overflowed
        self.scaler.update()

    def _first_broken(self) -> str:
        """The name of the parameter nearest to the input whose gradient is not finite."""
        gradients = ((name, parameter.grad) for name, parameter in self.model.named_parameters())
        return next(name for name, gradient in gradients if gradient is not None and not gradient.isfinite().all())
