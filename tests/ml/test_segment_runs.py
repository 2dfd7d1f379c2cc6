"""Runs of TSN and NFMML from config to scores: they learn, tell their terms, resume bit for bit, and are tested."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.losses import LiftedStructure, ProxyAnchor
from ml.config.models import NFMML, TSN
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.evaluator import Evaluated, evaluate
from ml.evaluation.scores import Scores
from ml.events import EpochEnded, Event, Finished, StepsDone
from ml.experiment import train
from ml.process import Stop
from ml.trained import TrainedRun, load_run
from ml.video.dataset import SnippetReader, read_views, subset_videos
from ml.video.manifest import load_manifest
from tests.ml.run_data import spatial, temporal, write_dataset

TRAINING = {"epochs": 2, "steps_per_epoch": 3, "batch_size": 4, "sampling": "balanced", "learning_rate": 0.01, "clip_norm": 40.0}
TRAINING |= {"bias_rate": 2.0, "first_layer_rate": 5.0}
SYSTEMS: dict[str, Any] = {
    "tsn": TSN(backbone="resnet10t", consensus="weighted", dropout=0.2),
    "nfmml": NFMML(backbone="resnet10t", dropout=0.2, embedding_size=16, warmup_steps=2),
    "proxies": NFMML(backbone="resnet10t", pooling="convolution", embedding_size=16, normalize=True, loss=ProxyAnchor()),
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"))


def of_system(config: ExperimentConfig, model: Any) -> ExperimentConfig:
    data = config.data.replace(num_segments=3, crop_policy="multiscale", vertical_flip=True, validation_fraction=0.5)
    return config.replace(model=model, data=data, training=config.training.replace(**TRAINING))


def answer_of(work: Generator[Event, None, Evaluated | None]) -> Evaluated:
    """What a generator of events returns."""
    answers: list[Evaluated | None] = []

    def to_the_end() -> Generator[Event, None, None]:
        answers.append((yield from work))

    list(to_the_end())
    assert answers[0] is not None
    return answers[0]


def steps(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(event.step, event.losses, event.measures) for event in events if isinstance(event, StepsDone)]


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_trains_resumes_bit_for_bit_and_scores_the_test(name: str, dataset: Path, tmp_path: Path) -> None:
    config, stop = of_system(spatial(dataset), SYSTEMS[name]), Stop()
    whole = list(train(config, tmp_path / "whole", Stop()))
    first = []
    for event in train(config, tmp_path / "parts", stop):
        first.append(event)
        stop.requested = stop.requested or (isinstance(event, StepsDone) and event.step == 4)

    second = list(train(config, tmp_path / "parts", Stop()))

    assert isinstance(whole[-1], Finished) and steps(first) + steps(second) == steps(whole)
    run, again = load_run(tmp_path / "whole", "cpu"), load_run(tmp_path / "parts", "cpu")
    assert all(torch.equal(tensor, again.model.state_dict()[key]) for key, tensor in run.model.state_dict().items())
    protocol = Protocol(frames=3, crops=5, aggregation="logits")
    scores, embeddings = answer_of(evaluate(run, tmp_path / "whole", dataset, "test", protocol, Stop()))
    assert scores.scores.shape == (4, 2) and bool(torch.from_numpy(scores.scores).isfinite().all())
    assert embeddings is not None and list(embeddings.videos) == list(scores.videos) and embeddings.labels is scores.labels
    see_scores(scores, run, dataset, protocol)
    see_embeddings(embeddings, run, dataset, protocol)


def see_scores(found: Scores, run: TrainedRun, dataset: Path, protocol: Protocol) -> None:
    """They are those of videos of 3 segments, crop by crop, whether views were grouped or their mean is the same."""
    manifest, data = load_manifest(dataset), run.config.data
    reader = SnippetReader(dataset, manifest, data)
    for entry, row in zip(subset_videos(manifest, "1", "test"), found.scores, strict=True):
        views = torch.from_numpy(read_views(reader, entry, data, protocol)).view(3, 5, 3, 32, 32)  # (K, crops, C, H, W)
        with torch.inference_mode():
            of_crops = [run.model(views[:, crop][None]) for crop in range(5)]
        torch.testing.assert_close(torch.from_numpy(row), torch.cat(of_crops).mean(0), atol=1e-5, rtol=1e-4)
    grouped = "" if run.config.segments_tested == 1 else "; views grouped into videos of 3 segments"
    assert found.about["description"] == f"3 frames × 5 crops, scores before softmax averaged{grouped}"


def see_embeddings(found: Embeddings, run: TrainedRun, dataset: Path, protocol: Protocol) -> None:
    """They are means over views: of NFMML's metric branch (of length 1 where it normalises), else of what the classifier saw."""
    manifest, model, seen = load_manifest(dataset), run.model, []
    is_metric = isinstance(run.config.model, NFMML)
    is_unit = isinstance(run.config.model, NFMML) and run.config.model.normalize
    layer = model.get_submodule("embedding" if is_metric else "classifier")
    hook = layer.register_forward_hook(lambda _layer, given, out: seen.append((out if is_metric else given[0]).flatten(0, -2)))
    reader = SnippetReader(dataset, manifest, run.config.data)
    for entry, x in zip(subset_videos(manifest, "1", "test"), found.embeddings, strict=True):
        seen.clear()
        with torch.inference_mode():
            model(torch.from_numpy(read_views(reader, entry, run.config.data, protocol, run.config.segments_tested)))
        views = torch.cat(seen)  # (15, E)
        if is_unit:
            mean = (views / views.norm(dim=1, keepdim=True)).mean(0)
            torch.testing.assert_close(torch.from_numpy(x), mean / mean.norm(), atol=1e-5, rtol=1e-4)
        else:
            torch.testing.assert_close(torch.from_numpy(x), views.mean(0), atol=1e-5, rtol=1e-4)
    hook.remove()
    assert found.about["space"] == {"kind": "metric" if is_metric else "features", "is_unit": is_unit}


def test_nfmml_tells_both_terms_and_the_distances_of_its_pairs_and_validates_by_classification(dataset: Path, tmp_path: Path) -> None:
    events = list(train(of_system(temporal(dataset), SYSTEMS["nfmml"]), tmp_path, Stop()))

    for event in events:
        if isinstance(event, StepsDone):
            assert set(event.losses) == {"classification", "metric"}
            assert set(event.measures) == {"metric_loss", "positive_distance", "negative_distance"}
            weight = min(1.0, event.step / 3) * 0.2
            assert event.losses["metric"] == pytest.approx(weight * event.measures["metric_loss"], rel=1e-5)
    ended = [event for event in events if isinstance(event, EpochEnded)]
    assert len(ended) == 2 and all(set(event.validation) == {"loss", "top1", "mean_class_accuracy"} for event in ended)


def test_nfmml_learns_to_tell_classes_and_to_part_them(dataset: Path, tmp_path: Path) -> None:
    model = NFMML(backbone="resnet10t", dropout=0.0, embedding_size=16, loss=LiftedStructure(margin="exp"))
    config = of_system(spatial(dataset), model)
    config = config.replace(data=config.data.replace(validation_fraction=0), training=config.training.replace(epochs=1, steps_per_epoch=20))

    events = [event for event in train(config, tmp_path, Stop()) if isinstance(event, StepsDone)]

    ratios = [event.measures["negative_distance"] / event.measures["positive_distance"] for event in events]
    assert ratios[-1] > 2 * ratios[0]
    assert events[-1].losses["classification"] < 0.5 * events[0].losses["classification"]
