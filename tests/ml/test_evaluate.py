"""A run's scores on a subset: every video under the stated protocol, bad ones left out and counted, nothing half written."""

import json
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ml.__main__ import parser_of
from ml.commands import evaluate as command
from ml.config.data import Manifest
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.models import NFMML
from ml.errors import BadConfig, BadScores, MissingFlow, UserError
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.protocol import parse_protocol
from ml.evaluation.scores import Scores, softmax
from ml.events import Event, Finished, Log, Progress, Result, Started, Stopped, VideoFailed
from ml.experiment import train
from ml.process import Stop
from ml.trained import load_run
from ml.video.dataset import SnippetReader, read_views, subset_videos
from ml.video.manifest import load_manifest, save_manifest, store_of
from tests.ml.run_data import FLOW, SPEC, spatial, temporal, write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("evaluated"))


def trained(config: ExperimentConfig, folder: Path) -> Path:
    for _ in train(config, folder, Stop()):
        pass
    return folder


@pytest.fixture(scope="module")
def run_folder(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(spatial(dataset, epochs=1), tmp_path_factory.mktemp("spatial"))


def arguments(*given: str) -> Namespace:
    return parser_of("evaluate", command).parse_args(list(given))


def evaluated(run: Path, *given: str, stop: Stop | None = None) -> list[Event]:
    return list(command.run(arguments(str(run), *given), stop or Stop()))


def test_scores_are_the_aggregated_views_of_every_test_video(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    evaluated(run_folder, "--protocol", "3x10", "--out", str(tmp_path / "s.npz"))
    scores, run, manifest = Scores.load(tmp_path / "s.npz"), load_run(run_folder), load_manifest(dataset)
    entries = subset_videos(manifest, "1", "test")
    assert list(scores.videos) == [entry.key for entry in entries] and list(scores.groups) == [entry.group for entry in entries]
    assert [scores.classes[label] for label in scores.labels] == [entry.label for entry in entries]
    reader = SnippetReader(dataset, manifest, run.config.data)
    for entry, row in zip(entries, scores.scores, strict=True):
        views = read_views(reader, entry, run.config.data, Protocol(frames=3, crops=10))
        assert len(views) == 30
        with torch.inference_mode():
            p = torch.softmax(run.model(torch.from_numpy(views)), dim=1).mean(dim=0).numpy()
        np.testing.assert_allclose(softmax(row), p, atol=1e-5)


def test_the_scores_say_where_they_come_from(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    evaluated(run_folder, "--subset", "validation", "--protocol", "2x1:logits", "--out", str(tmp_path))
    about = Scores.load(tmp_path / "scores.npz").about
    assert about["description"] == "2 frames × 1 crop, scores before softmax averaged"
    assert (about["short"], about["subset"], about["split"], about["modality"]) == ("2x1:logits", "validation", "1", "rgb")
    assert about["run"] == str(run_folder.resolve()) and about["dataset"] == str(dataset.resolve())
    assert about["snapshot"] == load_run(run_folder).facts["snapshot"]


def test_results_stand_beside_the_scores_and_the_last_event_tells_the_numbers_with_their_protocol(run_folder: Path, tmp_path: Path) -> None:
    events = evaluated(run_folder, "--protocol", "1x1", "--out", str(tmp_path / "out"))
    results = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    answer, finished = events[-2:]
    assert isinstance(answer, Result) and answer.data["confusion"] == results["metrics"]["confusion"]
    assert isinstance(finished, Finished) and finished.summary["protocol"]["short"] == "1x1"
    assert finished.summary["top1"] == results["metrics"]["top1"]
    assert events[0] == Started("evaluate", 4, "videos")
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2, 3, 4]


def test_without_a_protocol_it_is_the_runs_own_and_the_results_lie_in_the_run(dataset: Path, tmp_path: Path) -> None:
    config = spatial(dataset, epochs=1)
    run = trained(config.replace(evaluation=Protocol(frames=2, crops=5, aggregation="logits")), tmp_path / "run")
    evaluated(run)
    assert Scores.load(run / "evaluations" / "test-2x5-logits" / "scores.npz").about["short"] == "2x5:logits"


def test_the_temporal_stream_is_evaluated_on_flow(dataset: Path, tmp_path: Path) -> None:
    run = trained(temporal(dataset), tmp_path / "run")
    evaluated(run, "--protocol", "2x1")
    assert Scores.load(run / "evaluations" / "test-2x1" / "scores.npz").about["modality"] == "flow"


def test_flow_that_nobody_extracted_ends_the_evaluation_and_says_which(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    run = trained(temporal(dataset), tmp_path / "run")
    for pack in (tmp_path / "data").rglob(f"flow-*-{FLOW.spec_id()}.pack"):
        pack.unlink()
    with pytest.raises(MissingFlow, match="dis"):
        evaluated(run, "--protocol", "2x1")


def test_a_video_with_a_torn_pack_is_left_out_and_that_is_said_with_the_numbers(run_folder: Path, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    manifest = load_manifest(dataset)
    torn = subset_videos(manifest, "1", "test")[1]
    pack = store_of(dataset, manifest).frames(torn.media, SPEC.spec_id())
    pack.write_bytes(pack.read_bytes()[:-100])
    events = evaluated(run_folder, "--dataset", str(dataset), "--protocol", "2x1", "--out", str(tmp_path / "out"))
    (failed,) = (event for event in events if isinstance(event, VideoFailed))
    assert failed.video == torn.key and failed.advice
    scores = Scores.load(tmp_path / "out" / "scores.npz")
    assert torn.key not in scores.videos and len(scores.videos) == 3
    assert scores.about["left_out"] == [torn.key]
    assert scores.about["description"].endswith("; 1 of 4 videos left out as unreadable")


def test_when_every_pack_is_torn_there_are_no_scores(run_folder: Path, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    for pack in dataset.rglob("frames-*.pack"):
        pack.write_bytes(b"torn")
    with pytest.raises(BadScores, match="None of the 4 videos"):
        evaluated(run_folder, "--dataset", str(dataset), "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_stop_leaves_nothing_behind(run_folder: Path, tmp_path: Path) -> None:
    stop = Stop()
    events = []
    for event in command.run(arguments(str(run_folder), "--out", str(tmp_path / "out"), "--protocol", "2x1"), stop):
        events.append(event)
        stop.requested |= isinstance(event, Progress)
    assert isinstance(events[-1], Stopped) and not (tmp_path / "out").exists()


def changed(dataset: Path, folder: Path, **changes: object) -> Path:
    """A dataset with another manifest and the same media."""
    manifest = load_manifest(dataset)
    save_manifest(folder, Manifest.model_validate({**manifest.model_dump(), "store": str(store_of(dataset, manifest).root), **changes}))
    return folder


def test_a_dataset_that_has_changed_since_training_is_said(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    videos = [{**video.model_dump(), "group": "other"} for video in load_manifest(dataset).videos]
    other = changed(dataset, tmp_path / "data", videos=videos)
    events = evaluated(run_folder, "--dataset", str(other), "--protocol", "1x1", "--out", str(tmp_path / "out"))
    assert any(isinstance(event, Log) and "not as it was" in event.message for event in events)


def test_classes_in_another_order_are_matched_by_name(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    other = changed(dataset, tmp_path / "data", classes=("right", "left"))
    for name, folder in (("a", dataset), ("b", other)):
        evaluated(run_folder, "--dataset", str(folder), "--protocol", "1x1", "--out", str(tmp_path / f"{name}.npz"))
    a, b = Scores.load(tmp_path / "a.npz"), Scores.load(tmp_path / "b.npz")
    assert list(b.classes) == ["left", "right"]
    np.testing.assert_array_equal(a.labels, b.labels)


def test_a_class_that_the_run_does_not_know_is_refused_by_name(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    videos = [{**video.model_dump(), "label": video.label.replace("right", "打")} for video in load_manifest(dataset).videos]
    other = changed(dataset, tmp_path / "data", classes=("left", "打"), videos=videos)
    with pytest.raises(BadConfig, match="“打”, which this run was not trained on"):
        evaluated(run_folder, "--dataset", str(other))


def test_an_empty_subset_and_a_folder_without_a_run_are_refused(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    other = changed(dataset, tmp_path / "data", splits=[{"name": "1", "origin": "csv", "subsets": {"left/0": "train"}}])
    with pytest.raises(BadConfig, match="The test subset has no videos"):
        evaluated(run_folder, "--dataset", str(other))
    with pytest.raises(UserError, match="no trained run"):
        evaluated(tmp_path)


def test_a_protocol_may_be_json_and_a_wrong_one_is_refused_with_an_example() -> None:
    assert parse_protocol('{"frames": 5, "crops": 1}') == Protocol(frames=5, crops=1)
    for text in ("5", "5x3", '{"frames": 0}', "{"):
        with pytest.raises(BadConfig) as raised:
            parse_protocol(text)
        assert "25x10" in raised.value.advice


def test_whole_frames_are_one_view_each_and_that_is_said_with_the_numbers(dataset: Path, run_folder: Path, tmp_path: Path) -> None:
    evaluated(run_folder, "--protocol", "3xfull", "--out", str(tmp_path / "s.npz"))
    scores, run, manifest = Scores.load(tmp_path / "s.npz"), load_run(run_folder), load_manifest(dataset)
    assert scores.about["description"] == "3 whole frames, fully convolutional, class probabilities averaged"
    assert scores.about["short"] == "3xfull" and Protocol.parse("3xfull").short() == "3xfull"
    reader = SnippetReader(dataset, manifest, run.config.data)
    for entry, row in zip(subset_videos(manifest, "1", "test"), scores.scores, strict=True):
        views = read_views(reader, entry, run.config.data, Protocol(frames=3, crops=0))
        assert views.shape == (3, 3, 40, 40) and run.config.data.crop_size == 32
        with torch.inference_mode():
            p = torch.softmax(run.model(torch.from_numpy(views)), dim=1).mean(dim=0).numpy()
        np.testing.assert_allclose(softmax(row), p, atol=1e-5)


def test_embeddings_lie_beside_the_scores_with_all_that_is_said_of_them(run_folder: Path, tmp_path: Path) -> None:
    evaluated(run_folder, "--protocol", "2x1", "--out", str(tmp_path / "out"))
    evaluated(run_folder, "--protocol", "2x1", "--out", str(tmp_path / "s.npz"))
    folder, beside = Embeddings.load(tmp_path / "out" / "embeddings.npz"), Embeddings.load(tmp_path / "s.embeddings.npz")
    scores = Scores.load(tmp_path / "s.npz")
    np.testing.assert_array_equal(folder.embeddings, beside.embeddings)
    np.testing.assert_array_equal(beside.videos, scores.videos)
    assert {name: value for name, value in beside.about.items() if name != "space"} == scores.about
    said = json.loads((tmp_path / "out" / "embedding.json").read_text(encoding="utf-8"))
    assert said["videos"] == list(scores.videos) and said["protocol"]["short"] == "2x1"
    assert said["space"]["words"] == "features before the last layer"


def test_scores_are_kept_though_an_embedding_is_not_finite_and_old_embeddings_go(dataset: Path, tmp_path: Path) -> None:
    run = trained(segments(dataset), tmp_path / "run")
    evaluated(run, "--protocol", "1x1", "--out", str(tmp_path / "out"))
    assert (tmp_path / "out" / "embedding.json").exists()
    weights = load_file(run / "model.safetensors")
    with safe_open(run / "model.safetensors", framework="pt") as file:
        metadata = file.metadata()
    save_file({**weights, "embedding.bias": torch.full_like(weights["embedding.bias"], torch.inf)}, run / "model.safetensors", metadata)
    events = evaluated(run, "--protocol", "1x1", "--out", str(tmp_path / "out"))
    assert any(isinstance(event, Log) and "is not finite" in event.message for event in events)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["results.json", "scores.npz"]


def segments(dataset: Path) -> ExperimentConfig:
    """NFMML, small."""
    config = spatial(dataset, epochs=1, sampling="balanced")
    return config.replace(model=NFMML(backbone="resnet10t", embedding_size=8), data=config.data.replace(num_segments=2))
