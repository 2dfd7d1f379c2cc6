"""What NFMML's metric branch does on drawn clips: margins compared over seeds, and large weights λ2 with what helps them.

`python -m benchmarks.margins [WORK_FOLDER]` goes on where it stopped when the same folder is given again. The task is the motion of the
demo's clips, seen through optical flow; groups of clips are in the training or in the test subset, never in both.
"""

import csv
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from ml.config.data import DataConfig, FlowInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import Farneback, FlowSpec
from ml.config.losses import LiftedStructure
from ml.config.models import NFMML
from ml.config.training import TrainingConfig
from ml.events import StepsDone, parse

SEEDS = range(5)
STUDENT_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
"""97.5 % quantiles by degrees of freedom."""

STEPS, LAST = 40, 10
FLOW = FlowSpec(method=Farneback())
BASE = ExperimentConfig(
    model=NFMML(backbone="resnet10t", dropout=0.2, embedding_size=128),
    data=DataConfig(
        input=FlowInput(stack_len=3, flow=FLOW), num_segments=2, short_side=56, crop_size=48, flip=False, validation_fraction=0
    ),
    training=TrainingConfig(
        epochs=1, steps_per_epoch=STEPS, batch_size=18, sampling="balanced", learning_rate=0.02, clip_norm=40, device="cpu"
    ),
    evaluation=Protocol(frames=5, crops=1, aggregation="logits"),
)

MARGINS: dict[str, dict[str, Any]] = {
    "constant": {"loss": LiftedStructure(margin="constant")},
    "exp": {},
    "exp, full gradient": {"loss": LiftedStructure(gradient="full")},
    "no metric loss": {"metric_weight": 0.0},
}
HELP: dict[str, dict[str, Any]] = {"": {}, ", warm-up 20 steps": {"warmup_steps": 20}, ", normalised": {"normalize": True}}
WEIGHTS: dict[str, dict[str, Any]] = {
    f"λ2 = {weight:g}{name}": {"metric_weight": weight, **changes} for weight in (0.2, 0.4, 4.0) for name, changes in HELP.items()
}


def engine(*words: object) -> None:
    """`python -m ml …`"""
    subprocess.run([sys.executable, "-m", "ml", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def prepare(work: Path) -> Path:
    """Clips, their motions as labels, flow; the dataset's folder."""
    clips, dataset = work / "clips", work / "dataset"
    if (dataset / "manifest.json").exists():
        return dataset
    engine("draw", "--out", clips, "--groups", 6, "--clips-per-group", 2)
    rows = list(csv.DictReader((clips / "clips.csv").open(encoding="utf-8")))
    with (clips / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["path", "label", "group"])
        writer.writeheader()
        writer.writerows({"path": row["path"], "label": row["label"].rpartition("_")[2], "group": row["group"]} for row in rows)
    engine("ingest", clips, "--out", dataset, "--test-fraction", 0.333)
    engine("flow", dataset, "--method", "farneback")
    return dataset


def learn(work: Path, dataset: Path, name: str, changes: dict[str, Any], seed: int) -> dict[str, float] | None:
    """A run's distances, means over its last steps, and its test accuracy; None when its loss or a weight was no longer finite."""
    run = work / f"{name} {seed}".replace(" ", "_")
    config = BASE.replace(model=BASE.model.replace(**changes), data=BASE.data.replace(dataset=str(dataset), split="1"))
    if not (run / "test").exists():
        run.mkdir(parents=True, exist_ok=True)
        (work / "config.json").write_text(config.replace(training=config.training.replace(seed=seed)).model_dump_json())
        try:
            engine("train", work / "config.json", "--out", run)
        except subprocess.CalledProcessError:
            return None
        engine("evaluate", run, "--subset", "test", "--protocol", "5x1:logits", "--out", run / "test")
    told = [parse(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    measures = [event.measures for event in told if isinstance(event, StepsDone) and event.step > STEPS - LAST]
    positive, negative = (statistics.mean(each[f"{kind}_distance"] for each in measures) for kind in ("positive", "negative"))
    top1 = json.loads((run / "test" / "results.json").read_text())["metrics"]["top1"]
    return {"positive": positive, "negative": negative, "difference": negative - positive, "ratio": negative / positive, "top1": 100 * top1}


def interval(values: list[float]) -> str:
    """Mean ± half of its 95 % confidence interval."""
    half = STUDENT_T[len(values) - 1] * statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.mean(values):.2f} ± {half:.2f}"


def table(title: str, rows: dict[str, list[dict[str, float] | None]]) -> None:
    """Means over seeds with their intervals, and how many of the runs came to an end."""
    columns = {
        "positive": "positive distance",
        "negative": "negative distance",
        "difference": "difference",
        "ratio": "ratio",
        "top1": "top-1, %",
    }
    print(f"| {title} | {' | '.join(columns.values())} | trained |\n" + "|---" * (len(columns) + 2) + "|")
    for name, runs in rows.items():
        whole = [run for run in runs if run is not None]
        cells = [interval([run[key] for run in whole]) if len(whole) > 1 else "–" for key in columns]
        print(f"| {name} | {' | '.join(cells)} | {len(whole)} of {len(runs)} |")


def main() -> None:
    work = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/margins").resolve()
    work.mkdir(parents=True, exist_ok=True)
    dataset = prepare(work)
    for title, variants in {"margin": MARGINS, "weight": WEIGHTS}.items():
        table(title, {name: [learn(work, dataset, name, changes, seed) for seed in SEEDS] for name, changes in variants.items()})


if __name__ == "__main__":
    main()
