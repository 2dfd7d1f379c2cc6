"""A run of two datasets is asked for the classes of either: alone, and fused with a stream that learnt one of them."""

import json
from pathlib import Path

import pytest
import torch

from ml.__main__ import parser_of
from ml.commands import evaluate, fuse, predict
from ml.config.data import OtherDataset
from ml.config.evaluation import Protocol
from ml.errors import BadConfig
from ml.evaluation.scores import Scores
from ml.events import Event, Result
from ml.experiment import train
from ml.prediction.serve import serve
from ml.process import Stop
from ml.trained import load_run
from ml.training.sources import known_by
from tests.media import draw_video
from tests.ml.run_data import spatial, temporal, write_dataset

SHADES = ("dark", "grey", "light")
TESTED = Protocol(frames=2, crops=1)
HEAD = "2 frames × 1 crop, class probabilities averaged; head of “shades”, one of 2"


def told(command: object, *given: str) -> list[Event]:
    name = command.__name__.rpartition(".")[2]  # type: ignore[attr-defined]
    return list(command.run(parser_of(name, command).parse_args(given), Stop()))  # type: ignore[attr-defined, arg-type]


def answer(source: Path, video: Path, *given: str) -> dict[str, object]:
    (result,) = (event for event in told(predict, str(source), str(video), *given) if isinstance(event, Result))
    return result.data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `both` learnt “sides” and “shades”, run `moving` only “shades”; both have scores of its test and its training videos."""
    folder = tmp_path_factory.mktemp("heads")
    sides, shades = write_dataset(folder / "sides", name="sides"), write_dataset(folder / "shades", 9, name="shades", classes=SHADES)
    config = spatial(sides, epochs=1, steps_per_epoch=2)
    both = config.replace(data=config.data.replace(also=(OtherDataset(dataset=str(shades)),)))
    for name, each in (("both", both), ("moving", temporal(shades))):
        list(train(each.replace(evaluation=TESTED), folder / name, Stop()))
        for subset in ("test", "train"):
            told(evaluate, str(folder / name), "--dataset", str(shades), "--subset", subset, "--out", str(folder / f"{name}-{subset}.npz"))
    return folder


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("videos") / "a.mp4", frames=9)


def fused(folder: Path, out: Path, *given: str) -> Path:
    told(fuse, *(str(folder / f"{name}-test.npz") for name in ("moving", "both")), *given, "--out", str(out))
    return out


def test_the_protocol_beside_a_number_names_the_head(folder: Path, tmp_path: Path) -> None:
    assert Scores.load(folder / "both-test.npz").about["description"] == HEAD
    assert "head" not in Scores.load(folder / "moving-test.npz").about["description"]
    assert HEAD in Scores.load(fused(folder, tmp_path / "f.npz")).about["description"]


@pytest.mark.parametrize("given", ["shades", "folder"])
def test_a_head_is_named_by_its_dataset_or_its_folder(folder: Path, video: Path, given: str) -> None:
    found = answer(folder / "both", video, "--dataset", "shades" if given == "shades" else str(folder / "shades"))
    assert {name for name, _share in found["top"]} == set(SHADES)  # type: ignore[attr-defined]
    assert found["protocol"] == HEAD


def test_without_a_name_the_runs_own_classes_are_meant(folder: Path, video: Path) -> None:
    found = answer(folder / "both", video)
    assert {name for name, _share in found["top"]} == {"left", "right"}  # type: ignore[attr-defined]
    assert str(found["protocol"]).endswith("head of “sides”, one of 2")


@pytest.mark.parametrize(("run", "names"), [("both", "“sides”, “shades”"), ("moving", "“shades”")])
def test_a_dataset_that_a_run_did_not_learn_is_refused_with_those_it_did(folder: Path, video: Path, run: str, names: str) -> None:
    with pytest.raises(BadConfig, match=f"did not learn dataset “colours”, but {names}"):
        answer(folder / run, video, "--dataset", "colours")


@pytest.mark.parametrize("method", ["average", "svm"])
def test_a_fusion_asks_the_head_that_it_was_made_of(folder: Path, video: Path, tmp_path: Path, method: str) -> None:
    fit = ("--fit", str(folder / "moving-train.npz"), str(folder / "both-train.npz")) if method == "svm" else ()
    fusion = fused(folder, tmp_path / "f.npz", "--method", method, *fit)
    found = answer(fusion, video)
    alone = answer(folder / "both", video, "--dataset", "shades")
    assert found["streams"][1]["top"] == alone["top"]  # type: ignore[index]
    assert {name for name, _share in found["top"]} == set(SHADES)  # type: ignore[attr-defined]
    with pytest.raises(BadConfig, match="of one dataset"):
        answer(fusion, video, "--dataset", "shades")


def test_a_head_answers_the_classes_of_its_columns(folder: Path) -> None:
    own, other = (load_run(folder / "both", "cpu", known_by(folder / name)) for name in ("sides", "shades"))
    x = torch.rand(2, 3, 32, 32) * 255
    assert (own.model(x).shape, other.model(x).shape) == ((2, 2), (2, 3))


def test_the_warm_process_tells_heads_of_one_run_apart(folder: Path, video: Path) -> None:
    asked = [json.dumps({"source": str(folder / "both"), "video": str(video), "dataset": name}) for name in ("", "shades", "sides")]
    results = [event.data for event in serve(iter(asked), Stop()) if isinstance(event, Result)]
    assert [len(found["top"]) for found in results] == [2, 3, 2]
    assert results[0]["top"] == results[2]["top"]
