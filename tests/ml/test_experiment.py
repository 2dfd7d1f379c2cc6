"""Config → run folder: what it checks first, what it leaves, and how it goes on."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ml.__main__ import main
from ml.config.data import DataConfig, FlowInput
from ml.config.experiment import ExperimentConfig
from ml.config.models import TwoStream
from ml.config.reading import read_experiment
from ml.errors import BadCheckpoint, BadConfig, FolderBusy, MissingFlow
from ml.events import EpochEnded, Event, Failed, Finished, StepsDone, Stopped, parse
from ml.experiment import train
from ml.process import Stop, locked
from ml.trained import TrainedRun, load_run
from ml.training.sources import sources_of, warnings
from ml.video.dataset import MiddleViews, SnippetReader
from ml.video.manifest import load_manifest, save_manifest
from tests.ml.run_data import CLASSES, spatial, temporal, write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("dataset"))


@pytest.fixture(scope="module")
def finished(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "whole"
    list(train(spatial(dataset), out, Stop()))
    return out


def told(path: Path) -> list[Event]:
    return [parse(line) for line in path.read_text(encoding="utf-8").splitlines()]


def curve(path: Path) -> list[tuple[object, ...]]:
    events = [event for event in told(path) if isinstance(event, StepsDone | EpochEnded)]
    return [
        (event.step, event.epoch, event.losses, event.learning_rate)
        if isinstance(event, StepsDone)
        else (event.step, event.epoch, event.train, event.validation)
        for event in events
    ]


def stop_at(config: ExperimentConfig, out: Path, step: int) -> list[Event]:
    stop, events = Stop(), []
    for event in train(config, out, stop):
        events.append(event)
        stop.requested = stop.requested or (isinstance(event, StepsDone) and event.step >= step)
    return events


def test_a_run_leaves_config_facts_events_checkpoint_weights_and_filters(finished: Path, dataset: Path) -> None:
    facts = json.loads((finished / "run.json").read_text(encoding="utf-8"))

    assert ExperimentConfig.model_validate_json((finished / "config.json").read_bytes()) == spatial(dataset)
    assert (facts["split"], facts["seed"], facts["device"]) == ("1", 0, "cpu")
    assert facts["train_videos"] + facts["validation_videos"] == 8
    assert facts["parameters"] > 4_000_000 and facts["versions"]["torch"] == torch.__version__
    assert isinstance(told(finished / "events.jsonl")[-1], Finished)
    assert (finished / "checkpoint.safetensors").exists() and (finished / "filters.png").exists()


def test_a_trained_run_loads_in_evaluation_mode_and_scores(finished: Path, dataset: Path) -> None:
    run = load_run(finished, "cpu")

    assert isinstance(run, TrainedRun)
    assert run.classes == CLASSES and run.config == spatial(dataset)
    assert not run.model.training
    with torch.no_grad():
        assert run.model(torch.rand(2, 3, 32, 32) * 255).shape == (2, 2)


@pytest.mark.parametrize("make", [spatial, temporal])
def test_each_stream_learns_what_it_can_see(make: Callable[[Path], ExperimentConfig], dataset: Path, tmp_path: Path) -> None:
    config = make(dataset)
    longer = config.replace(training=config.training.replace(epochs=6, learning_rate=0.005), data=config.data.replace(flip=False))

    epochs = [event for event in train(longer, tmp_path / "run", Stop()) if isinstance(event, EpochEnded)]

    assert epochs[-1].train["top1"] == 1.0
    assert epochs[-1].train["loss"] < epochs[0].train["loss"]


def test_a_stopped_run_goes_on_and_equals_the_uninterrupted_one(finished: Path, dataset: Path, tmp_path: Path) -> None:
    first = stop_at(spatial(dataset), tmp_path / "parts", 1)
    list(train(spatial(dataset), tmp_path / "parts", Stop()))

    assert isinstance(first[-1], Stopped)
    assert curve(tmp_path / "parts" / "events.jsonl") == curve(finished / "events.jsonl")
    whole, parts = load_run(finished, "cpu").model.state_dict(), load_run(tmp_path / "parts", "cpu").model.state_dict()
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_a_run_of_the_last_layer_alone_changes_nothing_else_of_the_run_it_starts_from(
    finished: Path, dataset: Path, tmp_path: Path
) -> None:
    config = spatial(dataset, init_run=str(finished), weight_decay=0.1)
    list(train(config.replace(model=TwoStream(trainable="last_layer")), tmp_path / "run", Stop()))

    before, after = load_run(finished, "cpu").model.state_dict(), load_run(tmp_path / "run", "cpu").model.state_dict()
    assert {name for name, tensor in after.items() if not torch.equal(tensor, before[name])} == {"classifier.weight", "classifier.bias"}


def test_what_was_told_after_the_last_checkpoint_is_told_once(finished: Path, dataset: Path, tmp_path: Path) -> None:
    killed = train(spatial(dataset), tmp_path / "run", Stop())
    next(event for event in killed if isinstance(event, StepsDone) and event.epoch == 2)
    killed.close()  # type: ignore[attr-defined]
    with (tmp_path / "run" / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"event": "StepsDone", "st')

    list(train(spatial(dataset), tmp_path / "run", Stop()))

    assert curve(tmp_path / "run" / "events.jsonl") == curve(finished / "events.jsonl")


def test_the_folder_of_a_busy_run_is_refused(dataset: Path, tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(FolderBusy, match="run"):
        list(train(spatial(dataset), tmp_path / "run", Stop()))


def test_a_run_of_another_config_is_not_continued(dataset: Path, tmp_path: Path) -> None:
    stop_at(spatial(dataset), tmp_path / "run", 1)

    with pytest.raises(BadCheckpoint, match=r"training\.batch_size was 4, is 3; training\.seed was 0, is 7"):
        list(train(spatial(dataset, batch_size=3, seed=7), tmp_path / "run", Stop()))


def test_a_dataset_that_changed_is_noticed_and_one_that_moved_is_not(tmp_path: Path) -> None:
    first, second = write_dataset(tmp_path / "a"), write_dataset(tmp_path / "b")
    stop_at(spatial(first), tmp_path / "run", 1)

    assert isinstance(list(train(spatial(second), tmp_path / "run", Stop()))[-1], Finished)

    manifest = load_manifest(second)
    save_manifest(second, manifest.replace(videos=manifest.videos[1:]))
    with pytest.raises(BadCheckpoint, match=r"data\.dataset was"):
        list(train(spatial(second), tmp_path / "run", Stop()))


def test_an_unfinished_run_cannot_be_loaded(dataset: Path, tmp_path: Path) -> None:
    stop_at(spatial(dataset), tmp_path / "run", 1)

    with pytest.raises(BadCheckpoint, match="no trained run"):
        load_run(tmp_path / "run")


def test_damaged_weights_are_an_error(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    content = (finished / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(content[: len(content) // 2])

    with pytest.raises(BadCheckpoint, match="damaged"):
        load_run(tmp_path)


def test_the_weights_of_another_run_are_not_taken_for_its_own(finished: Path, dataset: Path, tmp_path: Path) -> None:
    list(train(spatial(dataset, seed=1, epochs=1), tmp_path / "other", Stop()))
    (tmp_path / "other" / "model.safetensors").write_bytes((finished / "model.safetensors").read_bytes())

    with pytest.raises(BadCheckpoint, match=r"model\.safetensors in .*other is another run's"):
        load_run(tmp_path / "other")


def test_a_run_from_before_weights_were_marked_is_believed(finished: Path, tmp_path: Path) -> None:
    facts = json.loads((finished / "run.json").read_text(encoding="utf-8"))
    assert facts.pop("weights")
    (tmp_path / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes((finished / "model.safetensors").read_bytes())

    assert load_run(tmp_path, "cpu").classes == CLASSES


def test_a_class_that_is_left_with_one_training_video_is_told(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path, videos_per_class=6)
    manifest = load_manifest(folder)
    kept = {key: subset for key, subset in manifest.splits[0].subsets.items() if key not in {"left/1", "left/2", "left/3"}}
    save_manifest(folder, manifest.replace(splits=(manifest.splits[0].replace(subsets=kept),)))
    sources = sources_of(spatial(folder).data.replace(validation_fraction=0))

    assert [str(warning) for warning in warnings(sources, 0)] == [
        "One training video alone is left of left, in “tiny”: add videos of other groups, or hold out less."
    ]


def change_data(config: ExperimentConfig, **changes: object) -> ExperimentConfig:
    return config.replace(data=DataConfig.model_validate({**config.data.model_dump(), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"split": "7"}, "no split “7”"),
        ({"crop_size": 64}, r"crop \(64 px\) is larger than the rescaled short side \(40 px\)"),
        ({"dataset": ""}, "names no dataset"),
    ],
)
def test_what_the_dataset_does_not_have_is_said_before_training(
    dataset: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(BadConfig, match=message):
        list(train(change_data(spatial(dataset), **changes), tmp_path / "run", Stop()))


def test_a_crop_too_small_for_the_backbone_is_said(dataset: Path, tmp_path: Path) -> None:
    config = spatial(dataset)

    with pytest.raises(BadConfig, match="32 px is too small for cnn_m_2048") as caught:
        list(train(config.replace(model=config.model.replace(backbone="cnn_m_2048")), tmp_path / "run", Stop()))

    assert "at least 41 px" in caught.value.advice


def test_a_batch_of_one_tiny_crop_is_said(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="batch of one video"):
        list(train(spatial(dataset, batch_size=1), tmp_path / "run", Stop()))


def test_a_class_without_training_videos_is_named(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", empty_class="right")

    with pytest.raises(BadConfig, match="1 of 2 classes have no training video in split “1”: right"):
        list(train(spatial(dataset), tmp_path / "run", Stop()))


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data")
    manifest = load_manifest(dataset)
    save_manifest(dataset, manifest.replace(classes=("left",), videos=[v for v in manifest.videos if v.label == "left"]))

    with pytest.raises(BadConfig, match="1 class, and a network needs two"):
        list(train(spatial(dataset), tmp_path / "run", Stop()))


def test_flow_that_nobody_extracted_is_said_before_training(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFlow, match="tv_l1"):
        list(train(change_data(spatial(dataset), input=FlowInput(stack_len=2).model_dump()), tmp_path / "run", Stop()))


def test_validation_sees_the_centre_of_the_middle(dataset: Path) -> None:
    manifest, data = load_manifest(dataset), spatial(dataset).data
    views = MiddleViews(dataset, manifest, data, [manifest.videos[0]])
    with SnippetReader(dataset, manifest, data).open(manifest.videos[0].media) as pack:
        middle = torch.from_numpy(pack.read([3])[0, 4:36, 4:36].copy()).permute(2, 0, 1).float()

    x, label = views[0]

    assert torch.equal(x, middle)
    assert (len(views), label) == (1, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"training": {"epochs": 0}}', r"training\.epochs must be at least 1, got 0"),
        ('{"training": {"epochs": "many"}}', r"training\.epochs must be a whole number, got 'many'"),
        ('{"training": {"epoch": 3}}', r"training\.epoch is not a known field"),
        ('{"version": 2}', "version 2; this program reads version 1"),
        ('{"model": {"kind": "two_stream", "backbone": "alexnet"}}', r"model\.two_stream\.backbone must be 'cnn_m_2048'"),
        ('{"model": {"kind": "nfmml"}}', "the config: A metric loss needs two videos of a class in every batch"),
        ('{"training": ', "is no JSON"),
        ("[]", "must be an object"),
    ],
)
def test_a_config_that_is_wrong_is_explained_in_plain_words(text: str, message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        read_experiment(text, "config.json")


def test_the_command_trains_and_tells_what_is_wrong(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stop, "listen", lambda stop: None)
    config = tmp_path / "config.json"
    config.write_text(spatial(dataset, epochs=1).model_dump_json(), encoding="utf-8")

    assert main(["train", str(config), "--out", str(tmp_path / "run")]) == 0
    assert isinstance(parse(capsys.readouterr().out.splitlines()[-1]), Finished)
    assert main(["train", str(tmp_path / "none.json"), "--out", str(tmp_path / "run")]) == 1
    failed = parse(capsys.readouterr().out.splitlines()[-1])
    assert isinstance(failed, Failed) and failed.code == "BadConfig"
