"""Config → run: dataset, network and trainer put together, and what a run leaves in its folder.

RUN/config.json         what was asked for
RUN/run.json            what it depended on: dataset snapshot, split, versions, commit, device, seed
RUN/events.jsonl        what it told
RUN/checkpoint.safetensors   what it needs to go on
RUN/model.safetensors   the trained weights, with config and classes in the metadata
RUN/filters.png         its first layer as a picture
"""

import json
import platform
import subprocess
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ml.config.data import Manifest
from ml.config.experiment import ExperimentConfig
from ml.config.reading import read_experiment
from ml.errors import BadCheckpoint
from ml.evaluation.filters import write_filters
from ml.events import Event, Finished, Log
from ml.models import build_model
from ml.process import Stop, atomic_path, locked
from ml.training.device import choose_device
from ml.training.loading import TrainingData
from ml.training.objective import build_objective
from ml.training.readiness import check_classes, check_config, check_packs
from ml.training.record import forget_after, recorded
from ml.training.team import Team, joined
from ml.training.trainer import Trainer
from ml.versions import installed_versions
from ml.video.dataset import SAMPLERS, MiddleViews, SnippetReader, TrainingDataset, subset_videos
from ml.video.manifest import load_manifest, snapshot_id
from ml.video.modality import modality_of

PACKAGES = ("torch", "torchvision", "timm", "numpy", "opencv-contrib-python-headless", "av")


@dataclass(frozen=True)
class TrainedRun:
    """A run that has learnt: `model` is in evaluation mode, `facts` are those of `run.json`."""

    config: ExperimentConfig
    classes: tuple[str, ...]
    model: nn.Module
    facts: dict[str, Any]


def train(config: ExperimentConfig, out: Path, stop: Stop) -> Iterator[Event]:
    """Train the run in `out`, or go on with it.

    Raises:
        BadConfig: what was asked for cannot be trained on this dataset.
        BadCheckpoint: `out` holds a run of another config, or a damaged one.
        FolderBusy: another process trains there.
        MissingFlow, MissingWeights, NotANumber, OutOfMemory: as their names say.
    """
    check_config(config)
    with joined(config.training.devices, config.training.device) as team, locked(out) if team.leads else nullcontext():
        trainer, facts, classes = _prepare(config, out, stop, team)
        if not team.leads:
            deque(trainer.run(), maxlen=0)
            return
        _write_json(out / "config.json", config.model_dump(mode="json"))
        _write_json(out / "run.json", facts)
        forget_after(out / "events.jsonl", trainer.steps_done, trainer.place.epoch)
        yield from recorded(out / "events.jsonl", _learn(trainer, config, classes, facts, out))


def load_run(folder: Path, device: str = "auto") -> TrainedRun:
    """A trained run, ready to score.

    Raises:
        BadCheckpoint: the run has not finished, or its weights are damaged or another network's.
    """
    path = folder / "model.safetensors"
    if not path.exists():
        raise BadCheckpoint(f"{folder} holds no trained run", "Train it to the end first: python -m ml train CONFIG.json --out RUN.")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        config = read_experiment(metadata["config"], str(path))
        classes = tuple(json.loads(metadata["classes"]))
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        with torch.device("meta"):  # no time lost on weights that are replaced at once
            model = _model(config.replace(model=config.model.replace(pretrained="none")), len(classes))
        model.load_state_dict(tensors, assign=True)
    except (SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise BadCheckpoint(f"The run in {folder} is damaged: {str(error)[:300]}", "Train it again, or restore a backup.") from error
    return TrainedRun(config, classes, model.to(choose_device(device)).eval(), facts)


def _prepare(config: ExperimentConfig, out: Path, stop: Stop, team: Team) -> tuple[Trainer, dict[str, Any], tuple[str, ...]]:
    cv2.setNumThreads(0)  # loader processes are forks of this one, and a forked thread pool hangs
    folder = Path(config.data.dataset)
    manifest = load_manifest(folder)
    data, videos = _data(config, folder, manifest)
    torch.manual_seed(config.training.seed)
    model = _model(config, len(manifest.classes))
    facts, objective = {**_facts(config, manifest, model), **videos}, build_objective(config.model, model)
    trainer = Trainer(model, data, config.training, out / "checkpoint.safetensors", _passport(config, manifest), stop, objective, team)
    return trainer, {**facts, "device": str(team)}, manifest.classes


def _data(config: ExperimentConfig, folder: Path, manifest: Manifest) -> tuple[TrainingData, dict[str, int]]:
    """What is learnt from, and how many videos that are."""
    data, training = config.data, config.training
    chosen = (data.validation_fraction, training.seed)
    train_videos = subset_videos(manifest, data.split, "train", *chosen)
    held_out = subset_videos(manifest, data.split, "validation", *chosen)
    check_classes(manifest, data.split, train_videos)
    check_packs(SnippetReader(folder, manifest, data), [*train_videos, *held_out])
    dataset = TrainingDataset(folder, manifest, data, train_videos, training.seed)
    steps = training.steps_per_epoch or -(-len(train_videos) // training.batch_size)
    sampler = SAMPLERS[training.sampling](dataset.labels, steps * training.batch_size, training.seed, training.batch_size)
    validation = MiddleViews(folder, manifest, data, held_out) if held_out else None
    return TrainingData(dataset, sampler, steps, validation), {"train_videos": len(train_videos), "validation_videos": len(held_out)}


def _learn(
    trainer: Trainer, config: ExperimentConfig, classes: tuple[str, ...], facts: dict[str, Any], out: Path
) -> Generator[Event, None, None]:
    if trainer.steps_done:
        yield Log(f"Going on from step {trainer.steps_done}.")
    summary = yield from trainer.run()
    if summary is None:
        return
    metadata = {"config": config.model_dump_json(), "classes": json.dumps(classes)}
    with atomic_path(out / "model.safetensors") as temporary:
        tensors = {name: tensor.cpu().contiguous() for name, tensor in trainer.model.state_dict().items()}
        save_file(tensors, temporary, metadata)
    write_filters(trainer.model, out)
    _write_json(out / "run.json", {**facts, "summary": summary})
    yield Finished({**summary, "run": str(out)})


def _passport(config: ExperimentConfig, manifest: Manifest) -> dict[str, Any]:
    """What a checkpoint belongs to: the config, with the dataset's content in the place of its folder."""
    passport = config.model_dump(mode="json")
    passport["data"]["dataset"] = snapshot_id(manifest)
    return passport


def _facts(config: ExperimentConfig, manifest: Manifest, model: nn.Module) -> dict[str, Any]:
    return {
        "dataset": manifest.name,
        "snapshot": snapshot_id(manifest),
        "frame_spec": manifest.frame_spec.model_dump(mode="json"),
        "split": config.data.split,
        "seed": config.training.seed,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "versions": {"python": platform.python_version(), **installed_versions(PACKAGES)},
        "commit": _commit(),
    }


def _commit() -> str:
    """Of the source that ran; empty where it is no checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _model(config: ExperimentConfig, num_classes: int) -> nn.Module:
    data = config.data
    return build_model(config.model, modality_of(data.input).channels(data.input), num_classes, data.num_segments)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
