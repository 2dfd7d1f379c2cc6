"""What NFMML's metric branch does: its margins against the constant one (the paper's Figure 2), and large weights λ2 with what helps them.

`python -m benchmarks.margins [WORK_FOLDER]` goes on where it stopped when the same folder is given again. Two tasks:

* drawn: the motion of the demo's clips through optical flow, a small network from scratch, groups of clips apart;
* frozen: real clips, fight or not, by their ImageNet features (`benchmarks.frozen`); a fold a seed, recordings apart.
"""

import csv
import importlib
import json
import os
import statistics
import sys
from argparse import ArgumentParser
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks import frozen
from benchmarks.real import with_folds
from ml.config.data import DataConfig, FlowInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import Farneback, FlowSpec
from ml.config.losses import LiftedStructure
from ml.config.models import NFMML
from ml.config.training import TrainingConfig
from ml.errors import NotANumber
from ml.events import StepsDone, parse
from ml.process import Stop
from ml.video.manifest import load_manifest, save_manifest

SEEDS = range(5)
STUDENT_T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776}
"""97.5 % quantiles by degrees of freedom."""

COLUMNS = {
    "start": "distances at the start",
    "positive": "positive distance",
    "negative": "negative distance",
    "difference": "difference",
    "ratio": "ratio",
    "top1": "top-1, %",
}
PAIRED = ("positive", "negative", "difference", "ratio", "top1")

Changes = dict[str, Any]
Numbers = dict[str, float]

DRAWN = ExperimentConfig(
    model=NFMML(backbone="resnet10t", dropout=0.2, embedding_size=128),
    data=DataConfig(
        input=FlowInput(stack_len=3, flow=FlowSpec(method=Farneback())),
        num_segments=2,
        short_side=56,
        crop_size=48,
        flip=False,
        validation_fraction=0,
    ),
    training=TrainingConfig(
        epochs=1, steps_per_epoch=40, batch_size=12, sampling="balanced", learning_rate=0.02, clip_norm=40, device="cpu"
    ),
    evaluation=Protocol(frames=5, crops=1, aggregation="logits"),
)
CONSTANT: Changes = {"loss": LiftedStructure(margin="constant")}
FULL: Changes = {"loss": LiftedStructure(gradient="full")}
MARGINS: dict[str, Changes] = {"constant": CONSTANT, "exp, gradient as printed": {}, "exp, full gradient": FULL}
WIDE: dict[str, Changes] = {"constant, α = e": {"loss": LiftedStructure(margin="constant", alpha=2.718)}}
UNIT = {f"{name}, length 1": {**changes, "normalize": True} for name, changes in (MARGINS | WIDE).items()}


def weights(warmup_steps: int) -> dict[str, Changes]:
    """No metric loss, the paper's λ2, and those with which it did not converge: alone and with each help."""
    helps: dict[str, Changes] = {
        "": {},
        f", warm-up of {warmup_steps} steps": {"warmup_steps": warmup_steps},
        ", length 1": {"normalize": True},
    }
    large = {f"λ2 = {weight:g}{name}": {"metric_weight": weight, **changes} for weight in (0.3, 0.4) for name, changes in helps.items()}
    return {"λ2 = 0.2": {}, "λ2 = 0": {"metric_weight": 0.0}, **large}


def engine(name: str, *words: object) -> None:
    """`python -m ml NAME …` in this process.

    Raises:
        UserError: what the command failed of.
    """
    command, parser = importlib.import_module(f"ml.commands.{name}"), ArgumentParser()
    command.add_arguments(parser)
    deque(command.run(parser.parse_args([str(word) for word in words]), Stop()), maxlen=0)


def drawn_clips(work: Path) -> Path:
    """Clips, their motions as labels, flow; the dataset's folder."""
    clips, dataset = work / "clips", work / "drawn"
    if not (dataset / "manifest.json").exists():
        engine("draw", "--out", clips, "--groups", 6, "--clips-per-group", 2)
        rows = list(csv.DictReader((clips / "clips.csv").open(encoding="utf-8")))
        with (clips / "clips.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["path", "label", "group"])
            writer.writeheader()
            writer.writerows({"path": row["path"], "label": row["label"].rpartition("_")[2], "group": row["group"]} for row in rows)
        engine("ingest", clips, "--out", dataset, "--test-fraction", 0.333)
    engine("flow", dataset, "--method", "farneback")
    return dataset


def real_clips(work: Path) -> Path:
    """Fights and what are none, in folds that keep each recording together."""
    data, dataset = Path(os.environ.get("KINETOSCOPE_REAL_DATA", "../shared/data")) / "fight-surv", work / "real"
    if not data.is_dir():
        sys.exit(f"There are no clips in {data}; KINETOSCOPE_REAL_DATA names another folder.")
    if not (dataset / "manifest.json").exists() or "fold0" not in [split.name for split in load_manifest(dataset).splits]:
        engine("ingest", data, "--out", dataset, "--name", "fight-surv")
        save_manifest(dataset, with_folds(load_manifest(dataset)))
    return dataset


def trained(work: Path, config: ExperimentConfig) -> Numbers | None:
    """A run's distances and its test accuracy; None when its loss or a weight was no longer finite."""
    run = work / name_of(config.model_dump_json())
    if not (run / "test" / "results.json").exists():
        run.mkdir(exist_ok=True)
        (run / "asked.json").write_text(config.model_dump_json())
        try:
            engine("train", run / "asked.json", "--out", run)
        except NotANumber:
            return None
        engine("evaluate", run, "--subset", "test", "--protocol", config.evaluation.short(), "--out", run / "test")
    told = [parse(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    top1 = json.loads((run / "test" / "results.json").read_text())["metrics"]["top1"]
    return numbers([event.measures for event in told if isinstance(event, StepsDone)], top1)


def name_of(asked: str) -> str:
    """Of a folder or file: the same question is asked once."""
    return sha256(asked.encode()).hexdigest()[:16]


def numbers(steps: list[dict[str, float]], top1: float) -> Numbers:
    """Mean distances as training begins, of all pairs alike, and over its last quarter."""
    first, last = steps[0], steps[-len(steps) // 4 :]
    positive, negative = (statistics.mean(each[f"{kind}_distance"] for each in last) for kind in ("positive", "negative"))
    start = statistics.mean((first["positive_distance"], first["negative_distance"]))
    at_end = {"positive": positive, "negative": negative, "difference": negative - positive, "ratio": negative / positive}
    return {"start": start, **at_end, "top1": 100 * top1}


def interval(values: list[float], sign: str = "") -> str:
    """Mean ± half of its 95 % confidence interval."""
    half = STUDENT_T[len(values) - 1] * statistics.stdev(values) / len(values) ** 0.5
    return f"{statistics.mean(values):{sign}.2f} ± {half:.2f}"


def table(title: str, rows: Iterable[tuple[str, list[Numbers | None]]]) -> None:
    """Means over seeds with their intervals, how many runs came to an end, and differences from the first row, seed by seed."""
    print(f"\n| {title} | {' | '.join(COLUMNS.values())} | trained |\n" + "|---" * (len(COLUMNS) + 2) + "|", flush=True)
    first: tuple[str, list[Numbers | None]] | None = None
    differences = []
    for name, runs in rows:
        whole = [run for run in runs if run is not None]
        cells = [interval([run[key] for run in whole]) if len(whole) > 1 else "–" for key in COLUMNS]
        print(f"| {name} | {' | '.join(cells)} | {len(whole)} of {len(runs)} |", flush=True)
        first = first or (name, runs)
        if both := [(run, other) for run, other in zip(runs, first[1], strict=True) if run and other and run is not other]:
            cells = [interval([run[key] - other[key] for run, other in both], "+") if key in PAIRED else "" for key in COLUMNS]
            differences.append(f"| {name} − {first[0]} | {' | '.join(cells)} | seed by seed |")
    print("\n".join(differences), flush=True)


@dataclass(frozen=True)
class Task:
    """Clips to learn, and how: `learn` takes changes of the model and a seed."""

    title: str
    learn: Callable[[Changes, int], Numbers | None]


def drawn_task(work: Path, dataset: Path) -> Task:
    """Runs as `python -m ml train` makes them."""

    def learn(changes: Changes, seed: int) -> Numbers | None:
        model, training = DRAWN.model.replace(**changes), DRAWN.training.replace(seed=seed)
        return trained(work, DRAWN.replace(model=model, data=DRAWN.data.replace(dataset=str(dataset), split="1"), training=training))

    return Task("drawn", learn)


def frozen_task(title: str, work: Path, clips: frozen.Clips, **training: Any) -> Task:
    """Real clips by their frozen features."""

    def learn(changes: Changes, seed: int) -> Numbers | None:
        model, config = frozen.MODEL.replace(**changes), frozen.TRAINING.replace(seed=seed, **training)
        kept = work / f"{name_of(model.model_dump_json() + config.model_dump_json())}.json"
        if not kept.exists():
            kept.write_text(json.dumps(frozen.learn(clips, model, config)))
        told = json.loads(kept.read_text())
        return None if told is None else numbers(told[:-1], told[-1]["top1"])

    return Task(title, learn)


def main() -> None:
    work = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/margins").resolve()
    work.mkdir(parents=True, exist_ok=True)
    real = real_clips(work)
    clips = frozen.Clips.of(real, work / "features.npy")
    plain = frozen_task("frozen", work, clips)
    drawn = drawn_task(work, drawn_clips(work))
    studies = (
        (plain, MARGINS | WIDE),
        (frozen_task("frozen, three times as long", work, clips, steps_per_epoch=3 * frozen.STEPS), MARGINS),
        (frozen_task("frozen, weight decay 0.01", work, clips, weight_decay=0.01), MARGINS),
        (plain, UNIT),
        (plain, weights(100)),
        (drawn, MARGINS),
        (drawn, UNIT),
        (drawn, weights(20)),
    )
    for task, variants in studies:
        table(task.title, ((name, [task.learn(changes, seed) for seed in SEEDS]) for name, changes in variants.items()))


if __name__ == "__main__":
    main()
