"""Config → run: dataset, network and trainer put together, and what a run leaves in its folder.

RUN/config.json         what was asked for
RUN/run.json            what it depended on: dataset snapshot, split, versions, commit, device, seed; and which weights are its own
RUN/events.jsonl        what it told
RUN/checkpoint.safetensors   what it needs to go on
RUN/model.safetensors   the trained weights, with config and classes in the metadata
RUN/filters.png         its first layer as a picture
"""

import hashlib
import json
import platform
import subprocess
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from ml.config.data import DataConfig, OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.config.reading import read_experiment
from ml.errors import BadCheckpoint
from ml.evaluation.filters import write_filters
from ml.events import Event, Finished, Log
from ml.models import build_model
from ml.process import Stop, atomic_path, locked
from ml.training.device import choose_device
from ml.training.initial import start_from
from ml.training.joint import JointClassification, OneHead
from ml.training.objective import build_objective
from ml.training.readiness import check_config
from ml.training.record import forget_after, recorded
from ml.training.sources import Source, chosen, sources_of, training_data, warnings
from ml.training.team import Team, joined
from ml.training.trainer import Trainer
from ml.versions import installed_versions
from ml.video.modality import modality_of

WEIGHTS = "model.safetensors"
PACKAGES = ("torch", "torchvision", "timm", "pytorch-metric-learning", "numpy", "opencv-contrib-python-headless", "av")


@dataclass(frozen=True)
class TrainedRun:
    """A run that has learnt, for one of its datasets: `model` is in evaluation mode, `facts` are those of `run.json`."""

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
        sources = sources_of(config.data)
        trainer, facts, logs = _prepare(config, sources, out, stop, team)
        if not team.leads:
            deque(trainer.run(), maxlen=0)
            return
        _write_json(out / "config.json", config.model_dump(mode="json"))
        _write_json(out / "run.json", facts)
        forget_after(out / "events.jsonl", trainer.steps_done, trainer.place.epoch)
        yield from recorded(out / "events.jsonl", chain(logs, _learn(trainer, config, sources, facts, out)))


def load_run(folder: Path, device: str = "auto", head: Mapping[str, Any] | None = None) -> TrainedRun:
    """A trained run, ready to score.

    Args:
        head: what is known of the dataset (`ml.training.sources.known_by`), where the run learnt several; None means its own.

    Raises:
        BadCheckpoint: the run has not finished, or its weights are damaged or another network's.
        BadConfig: the dataset is none of those that the run learnt.
    """
    path = folder / WEIGHTS
    if not path.exists():
        raise BadCheckpoint(
            "{folder} holds no trained run", "Train it to the end first: python -m ml train CONFIG.json --out RUN.", folder=folder
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        config = read_experiment(metadata["config"], str(path))
        facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        _check_belongs(folder, metadata, facts)
        heads = [{**facts, "classes": json.loads(metadata["classes"])}, *json.loads(metadata.get("others", "[]"))]
        with torch.device("meta"):  # no time lost on weights that are replaced at once
            model = _model(config.replace(model=config.model.replace(pretrained="none")), sum(len(head["classes"]) for head in heads))
        model.load_state_dict(tensors, assign=True)
    except (SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise BadCheckpoint(
            "The run in {folder} is damaged: {problem}", "Train it again, or restore a backup.", folder=folder, problem=str(error)[:300]
        ) from error
    run = TrainedRun(config, tuple(heads[0]["classes"]), model.to(choose_device(device)).eval(), facts)
    number = chosen(heads, head) if head else 0
    return _for_dataset(run, heads, number) if len(heads) > 1 else run


def _check_belongs(folder: Path, metadata: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """A run from before weights were marked says nothing of them, and is believed."""
    if "weights" in facts and facts["weights"] != metadata.get("weights"):
        raise BadCheckpoint(
            "{file} in {folder} is another run's", "Put its own back from a backup, or train the run again.", file=WEIGHTS, folder=folder
        )


def _for_dataset(run: TrainedRun, heads: Sequence[dict[str, Any]], number: int) -> TrainedRun:
    """The run as if it had learnt only one of its datasets."""
    places: list[DataConfig | OtherDataset] = [run.config.data, *run.config.data.others]
    data = run.config.data.replace(dataset=places[number].dataset, split=places[number].split, also=())
    classes = tuple(heads[number]["classes"])
    model = OneHead(run.model, sum(len(head["classes"]) for head in heads[:number]), len(classes)).eval()
    facts = {name: heads[number].get(name, fact) for name, fact in run.facts.items()}
    return TrainedRun(run.config.replace(data=data), classes, model, facts)


def _prepare(
    config: ExperimentConfig, sources: Sequence[Source], out: Path, stop: Stop, team: Team
) -> tuple[Trainer, dict[str, Any], list[Event]]:
    """The trainer, the facts of its run, and what there is to say of its start."""
    cv2.setNumThreads(0)  # loader processes are forks of this one, and a forked thread pool hangs
    data, videos = training_data(sources, config.training)
    sizes = [len(source.manifest.classes) for source in sources]
    torch.manual_seed(config.training.seed)
    model = _model(config, sum(sizes))
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
    mark = _write_weights(out / WEIGHTS, trainer.model, config, sources)
    write_filters(trainer.model, out)
    _write_json(out / "run.json", {**facts, "weights": mark, "summary": summary})
    yield Finished({**summary, "run": str(out)})


def _write_weights(path: Path, model: nn.Module, config: ExperimentConfig, sources: Sequence[Source]) -> str:
    """The trained weights with all that is needed to use them; sixteen hex digits of their content, by which the run knows them."""
    own, *others = ({**source.facts, "classes": source.manifest.classes} for source in sources)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    digest = hashlib.sha256(config.model_dump_json().encode())
    for name in sorted(tensors):
        digest.update(tensors[name].numpy().tobytes())
    mark = digest.hexdigest()[:16]
    metadata = {"config": config.model_dump_json(), "classes": json.dumps(own["classes"]), "others": json.dumps(others), "weights": mark}
    with atomic_path(path) as temporary:
        save_file(tensors, temporary, metadata)
    return mark


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


def _model(config: ExperimentConfig, num_classes: int) -> nn.Module:
    data, modality = config.data, modality_of(config.data.input)
    return build_model(config.model, modality.channels(data.input), num_classes, data.num_segments, modality.levels)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")
