"""The processes that train one network together, one a device: each takes its share of every batch, and all come to the same numbers.

What they tell each other is a sum: of gradients, of loss terms, of the wish to stop. `torchrun` and `ml.ranks` start such processes.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import distributed, nn

from ml.config.training import TrainingConfig
from ml.errors import BadConfig
from ml.training.device import check_compiler, choose_device

T = TypeVar("T")


@dataclass(frozen=True)
class Team:
    """This process's place among `size` of them, and its device. A process alone is a team too."""

    device: torch.device
    rank: int = 0
    size: int = 1

    def __str__(self) -> str:
        return str(self.device) if self.size == 1 else f"{self.size} × {self.device.type}"

    @property
    def leads(self) -> bool:
        """Tells events and writes files."""
        return self.rank == 0

    def share(self, batch: list[T]) -> list[T]:
        """This process's part of a batch: the parts are neighbours and as equal as can be."""
        return batch[len(batch) * self.rank // self.size : len(batch) * (self.rank + 1) // self.size]

    def sum(self, values: Sequence[float]) -> list[float]:
        """Of each value over all processes."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        distributed.all_reduce(total)
        return [float(value) for value in total.tolist()]

    def any(self, wish: bool) -> bool:
        """Whether any process wishes it: the same answer for all, in the same step."""
        return self.sum([float(wish)])[0] > 0

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Each gradient becomes its sum over all processes: one exchange of all of them."""
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if self.size == 1 or not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        for gradient, total in zip(gradients, torch.split(flat, [gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(total.view_as(gradient))


@contextmanager
def joined(devices: int, device_name: str) -> Iterator[Team]:
    """Meet the other processes, which the environment names as for `torchrun`; part from them at the end.

    Raises:
        BadConfig: the machine has fewer GPUs, or there are not `devices` processes.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if size != devices:
        raise BadConfig(
            "A run on {devices} devices needs {devices} processes, and here are {size}",
            "Start it with `python -m ml train`.",
            devices=devices,
            size=size,
        )
    device = choose_device(device_name, rank, size)
    if size == 1:
        yield Team(device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)  # or each process would take memory of the first GPU, too
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", device_id=device if device.type == "cuda" else None)
    try:
        yield Team(device, rank, size)
    finally:
        distributed.destroy_process_group()


def placed(model: nn.Module, config: TrainingConfig, team: Team) -> nn.Module:
    """The model on the team's device as the config wants it; on GPUs its batch normalisation is over the whole batch.

    From now on convolutions on a GPU are computed in ways that give the same numbers each time: a run that was stopped goes on as if
    it had not been.

    Raises:
        BadConfig: there is nothing here that compiles.
    """
    torch.backends.cudnn.deterministic = True
    if team.size > 1 and team.device.type == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    model = model.to(team.device)
    if config.channels_last:
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.compile:
        check_compiler(team.device)
        model.compile()
    return model
