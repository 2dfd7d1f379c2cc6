"""The main job on a command line, each step a process of its own: files → flow → two streams → scores → fusion → numbers → a prediction."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml.config.data import DataConfig, FlowInput, RGBInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, FlowSpec
from ml.config.training import TrainingConfig
from ml.events import Event, Finished, parse
from ml.video.manifest import load_manifest, store_of
from ml.words import WordsDecoder
from tests.media import draw_video

INPUTS = {"rgb": RGBInput(), "flow": FlowInput(stack_len=3, flow=FlowSpec(method=DIS()))}


def ml(*arguments: object) -> str:
    """What `python -m ml` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "ml", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def events(*arguments: object) -> list[Event]:
    found = [parse(line) for line in ml(*arguments).splitlines()]
    assert isinstance(found[-1], Finished)
    return found


def config(name: str, dataset: Path, folder: Path) -> Path:
    """A config file for one stream: one epoch on tiny pictures."""
    asked = ExperimentConfig(
        data=DataConfig(dataset=str(dataset), input=INPUTS[name], short_side=40, crop_size=32, validation_fraction=0),
        training=TrainingConfig(epochs=1, batch_size=4, device="cpu"),
        evaluation=Protocol(frames=2, crops=1),
    )
    path = folder / f"{name}.json"
    path.write_text(asked.model_dump_json(), encoding="utf-8")
    return path


@pytest.mark.slow
def test_the_main_job_runs_from_video_files_to_a_prediction(tmp_path: Path) -> None:
    for label in ("red sway", "跳"):
        for group in range(1, 5):
            draw_video(tmp_path / "videos" / label / f"v_{label}_g{group:02}_c01.mp4", frames=8, seed=group + 10 * (label == "跳"))
    dataset = tmp_path / "dataset"
    events("ingest", tmp_path / "videos", "--out", dataset, "--test-fraction", "0.5", "--short-side", "40")
    events("flow", dataset, "--method", "dis")
    for name in INPUTS:
        events("train", config(name, dataset, tmp_path), "--out", tmp_path / name)
        events("evaluate", tmp_path / name, "--out", tmp_path / f"{name}.npz")
    events("fuse", tmp_path / "rgb.npz", tmp_path / "flow.npz", "--method", "average", "--out", tmp_path / "fusion")

    found = json.loads(ml("metrics", tmp_path / "fusion" / "scores.npz", "--json"))
    assert [row["name"] for row in found["per_class"]] == ["red sway", "跳"]
    assert sum(map(sum, found["confusion"])) == found["num_videos"] == 4
    assert found["protocol"]["description"].startswith("2 frames × 1 crop, class probabilities averaged; 2 streams fused")
    stored = (tmp_path / "fusion" / "results.json").read_text(encoding="utf-8")
    assert found == json.loads(stored, cls=WordsDecoder)["metrics"]

    check_prediction(tmp_path, json.loads(stored)["videos"][0])


def check_prediction(folder: Path, row: dict[str, Any]) -> None:
    """A test video that is predicted as a new file gets what the evaluation gave it."""
    manifest = load_manifest(folder / "dataset")
    (entry,) = (entry for entry in manifest.videos if entry.key == row["video"])
    original = store_of(folder / "dataset", manifest).original(entry.media)
    answer = json.loads(ml("predict", folder / "fusion" / "scores.npz", original, "--json"))
    assert [stream["modality"] for stream in answer["streams"]] == ["rgb", "flow"]
    names = ["red sway", "跳"]
    assert dict(answer["top"]) == pytest.approx({names[index]: share for index, share in row["top"]}, abs=1e-4)
