"""Everything needed to go on as if nothing had happened, in one safetensors file: tensors, and JSON in its metadata.

Tensors are named `model.…` and `momentum.…` (by parameter). Random numbers need no state: each step draws its own from its number.
Nothing in the file can be executed.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ml.config.reading import completed
from ml.errors import BadCheckpoint
from ml.process import atomic_path

FORMAT = "kinetoscope-checkpoint-1"
START_OVER = "Choose another output folder, or delete this one to start over."


@dataclass(frozen=True)
class Checkpoint:
    """`passport` is the config of the run, `progress` where it stands; both plain JSON."""

    tensors: dict[str, Tensor]
    passport: dict[str, Any]
    progress: dict[str, Any]


def capture(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """All tensors of a run at this moment, on the CPU."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        if parameter in optimizer.state and (momentum := optimizer.state[parameter].get("momentum_buffer")) is not None:
            tensors[f"momentum.{name}"] = momentum
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def restore(tensors: dict[str, Tensor], model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """The inverse of `capture`.

    Raises:
        BadCheckpoint: the tensors are another network's.
    """
    try:
        model.load_state_dict(_within(tensors, "model."))
    except RuntimeError as error:
        raise BadCheckpoint("The checkpoint is of another network: {problem}", START_OVER, problem=str(error)[:300]) from error
    parameters = dict(model.named_parameters())
    for name, momentum in _within(tensors, "momentum.").items():
        optimizer.state[parameters[name]]["momentum_buffer"] = momentum.to(parameters[name].device)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint`; the old one stands until the new one is whole."""
    metadata = {"format": FORMAT, "passport": json.dumps(checkpoint.passport), "progress": json.dumps(checkpoint.progress)}
    with atomic_path(path) as temporary:
        save_file(checkpoint.tensors, temporary, metadata)


def load(path: Path, passport: dict[str, Any]) -> Checkpoint:
    """Read the checkpoint of the run with this `passport`. One that is older than a field of the config had its default.

    Raises:
        BadCheckpoint: it is truncated, no checkpoint of ours, or of another config (the fields that differ are named).
    """
    checkpoint = _read(path)
    different = differences(checkpoint.passport, passport)
    if different and differences(completed(checkpoint.passport), completed(passport)):
        raise BadCheckpoint(
            "The checkpoint in {folder} is of another config: {differences}",
            START_OVER,
            folder=path.parent,
            differences="; ".join(different),
        )
    return checkpoint


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file.

    Raises:
        SafetensorError: it is none, or damaged.
    """
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118  (no mapping)


def _read(path: Path) -> Checkpoint:
    try:
        tensors, metadata = read_tensors(path)
    except SafetensorError as error:
        raise BadCheckpoint("{path} is damaged or no checkpoint: {problem}", START_OVER, path=path, problem=error) from error
    if metadata.get("format") != FORMAT:
        raise BadCheckpoint(
            "{path} is no checkpoint of a run: its format is {found}, expected {expected}",
            START_OVER,
            path=path,
            found=repr(metadata.get("format")),
            expected=repr(FORMAT),
        )
    return Checkpoint(tensors, json.loads(metadata["passport"]), json.loads(metadata["progress"]))


def differences(old: Any, new: Any, name: str = "") -> list[str]:
    """`["training.batch_size was 8, is 16"]`: every field in which two configs differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{name}.{key}".lstrip("."))]
    return [] if old == new else [f"{name} was {json.dumps(old)}, is {json.dumps(new)}"]


def _within(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
