"""Config → run: dataset, network and trainer put together, and what a run leaves in its folder.

RUN/config.json         what was asked for
RUN/run.json            what it depended on: dataset snapshot, split, versions, commit, device, seed; and which weights are its own
RUN/events.jsonl        what it told
RUN/checkpoint.safetensors   what it needs to go on
RUN/model.safetensors   the trained weights (`ml.trained`)
RUN/filters.png         its first layer as a picture
"""

import json
import platform
import subprocess
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import nn

from ml.config.experiment import ExperimentConfig
from ml.evaluation.filters import write_filters
from ml.events import Event, Finished, Log
from ml.process import Stop, atomic_path, locked
from ml.trained import network, write_weights
from ml.training.initial import start_from
from ml.training.joint import JointClassification
from ml.training.objective import build_objective
from ml.training.readiness import check_config
from ml.training.record import forget_after, recorded
from ml.training.sources import Source, sources_of, training_data, warnings
from ml.training.team import Team, joined
from ml.training.trainer import Trainer
from ml.versions import installed_versions

PACKAGES = ("torch", "torchvision", "timm", "pytorch-metric-learning", "numpy", "opencv-contrib-python-headless", "av")


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
        sources = sources_of(config.data)
        trainer, facts, logs = _prepare(config, sources, out, stop, team)
        if not team.leads:
            deque(trainer.run(), maxlen=0)
            return
        _write_json(out / "config.json", config.model_dump(mode="json"))
        _write_json(out / "run.json", facts)
        forget_after(out / "events.jsonl", trainer.steps_done, trainer.place.epoch)
        yield from recorded(out / "events.jsonl", chain(logs, _learn(trainer, config, sources, facts, out)))


def _prepare(
    config: ExperimentConfig, sources: Sequence[Source], out: Path, stop: Stop, team: Team
) -> tuple[Trainer, dict[str, Any], list[Event]]:
    """The trainer, the facts of its run, and what there is to say of its start."""
    cv2.setNumThreads(0)  # loader processes are forks of this one, and a forked thread pool hangs
    data, videos = training_data(sources, config.training)
    sizes = [len(source.manifest.classes) for source in sources]
    torch.manual_seed(config.training.seed)
    model = network(config, sum(sizes))
    facts = {**_facts(config, sources, model), **videos, "device": str(team)}
    checkpoint = out / "checkpoint.safetensors"
    logs: list[Event] = [Log(warning, "warning") for warning in warnings(sources, config.training.seed)]
    if config.training.init_run and not checkpoint.exists():
        logs.append(Log(start_from(model, Path(config.training.init_run))))
    objective = JointClassification(sizes) if len(sizes) > 1 else build_objective(config.model, model)
    trainer = Trainer(model, data, config.training, checkpoint, _passport(config, sources), stop, objective, team)
    if trainer.steps_done:
        logs.append(Log(f"Going on from step {trainer.steps_done}."))
    return trainer, facts, logs


def _learn(
    trainer: Trainer, config: ExperimentConfig, sources: Sequence[Source], facts: dict[str, Any], out: Path
) -> Generator[Event, None, None]:
    summary = yield from trainer.run()
    if summary is None:
        return
    mark = write_weights(out, trainer.model, config, sources)
    write_filters(trainer.model, out)
    _write_json(out / "run.json", {**facts, "weights": mark, "summary": summary})
    yield Finished({**summary, "run": str(out)})


def _passport(config: ExperimentConfig, sources: Sequence[Source]) -> dict[str, Any]:
    """What a checkpoint belongs to: the config, with the datasets' content in the place of their folders, and without where it began."""
    passport = config.model_dump(mode="json")
    for place, source in zip([passport["data"], *passport["data"]["also"]], sources, strict=True):
        place["dataset"] = source.facts["snapshot"]
    del passport["training"]["init_run"]
    return passport


def _facts(config: ExperimentConfig, sources: Sequence[Source], model: nn.Module) -> dict[str, Any]:
    own, *others = (source.facts for source in sources)
    return {
        **own,
        **({"also": others} if others else {}),
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


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
