"""What a training leaves for those who score: RUN/model.safetensors, the weights with config and classes in the metadata."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from ml.config.data import DataConfig, OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.config.reading import read_experiment
from ml.errors import BadCheckpoint
from ml.models import build_model
from ml.process import atomic_path
from ml.training.checkpoint import read_tensors
from ml.training.device import choose_device
from ml.training.joint import OneHead
from ml.training.sources import Source, chosen
from ml.video.modality import modality_of

WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class TrainedRun:
    """A run that has learnt, for one of its datasets: `model` is in evaluation mode, `facts` are those of `run.json`."""

    config: ExperimentConfig
    classes: tuple[str, ...]
    model: nn.Module
    facts: dict[str, Any]


def network(config: ExperimentConfig, num_classes: int) -> nn.Module:
    """What the config asks for, untrained."""
    data, modality = config.data, modality_of(config.data.input)
    return build_model(config.model, modality.channels(data.input), num_classes, data.num_segments, modality.levels)


def write_weights(folder: Path, model: nn.Module, config: ExperimentConfig, sources: Sequence[Source]) -> str:
    """The trained weights with all that is needed to use them; sixteen hex digits of their content, by which the run knows them."""
    own, *others = ({**source.facts, "classes": source.manifest.classes} for source in sources)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    digest = hashlib.sha256(config.model_dump_json().encode())
    for name in sorted(tensors):
        digest.update(tensors[name].numpy().tobytes())
    mark = digest.hexdigest()[:16]
    metadata = {"config": config.model_dump_json(), "classes": json.dumps(own["classes"]), "others": json.dumps(others), "weights": mark}
    with atomic_path(folder / WEIGHTS) as temporary:
        save_file(tensors, temporary, metadata)
    return mark


def load_run(folder: Path, device: str = "auto", head: Mapping[str, Any] | None = None) -> TrainedRun:
    """A trained run, ready to score.

    Args:
        head: what is known of the dataset (`ml.training.sources.known_by`), where the run learnt several; None means its own.

    Raises:
        BadCheckpoint: the run has not finished, or its weights are damaged or another network's.
        BadConfig: the dataset is none of those that the run learnt.
    """
    if not (folder / WEIGHTS).exists():
        raise BadCheckpoint(
            "{folder} holds no trained run", "Train it to the end first: python -m ml train CONFIG.json --out RUN.", folder=folder
        )
    try:
        run, heads = _read(folder)
    except (SafetensorError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        raise BadCheckpoint(
            "The run in {folder} is damaged: {problem}", "Train it again, or restore a backup.", folder=folder, problem=str(error)[:300]
        ) from error
    run.model.to(choose_device(device)).eval()
    number = chosen(heads, head) if head else 0
    return _for_dataset(run, heads, number) if len(heads) > 1 else run


def _read(folder: Path) -> tuple[TrainedRun, list[dict[str, Any]]]:
    """The run as it learnt all its datasets, and the facts of each with its classes."""
    tensors, metadata = read_tensors(folder / WEIGHTS)
    config = read_experiment(metadata["config"], str(folder / WEIGHTS))
    facts = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    _check_belongs(folder, metadata, facts)
    heads = [{**facts, "classes": json.loads(metadata["classes"])}, *json.loads(metadata.get("others", "[]"))]
    with torch.device("meta"):  # no time lost on weights that are replaced at once
        model = network(config.replace(model=config.model.replace(pretrained="none")), sum(len(head["classes"]) for head in heads))
    model.load_state_dict(tensors, assign=True)
    return TrainedRun(config, tuple(heads[0]["classes"]), model, facts), heads


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
