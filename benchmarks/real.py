"""The main job on real clips: 300 surveillance videos, fight or not, five folds that keep each source video together.

`python -m benchmarks.real [WORK_FOLDER]` goes on where it stopped when the same folder is given again.
"""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from sklearn.model_selection import StratifiedGroupKFold

from ml.config.data import FlowInput, Manifest, Split
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, FlowSpec
from ml.config.presets import PRESETS
from ml.video.manifest import load_manifest, save_manifest

FOLDS = 5
PROTOCOL = "5x1"
SPATIAL = PRESETS["imagenet_spatial"].config
TEMPORAL = PRESETS["imagenet_spatial"].config.replace(
    data=SPATIAL.data.replace(input=FlowInput(stack_len=5, flow=FlowSpec(method=DIS()))),
    training=SPATIAL.training.replace(epochs=16, milestones=(10, 14)),
)
STREAMS: dict[str, ExperimentConfig] = {"spatial": SPATIAL, "temporal": TEMPORAL}
FUSIONS = {"average": ("average", "softmax"), "svm": ("svm", "l2")}


def engine(*words: object) -> None:
    """`python -m ml …`, its progress on this terminal."""
    subprocess.run([sys.executable, "-m", "ml", *map(str, words)], check=True)


def with_folds(manifest: Manifest) -> Manifest:
    """The manifest with one split per fold, stratified by class, no group in two folds."""
    videos = manifest.videos
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(videos, [v.label for v in videos], [v.group for v in videos])
    splits = tuple(
        Split(name=f"fold{k}", origin="generated", subsets={v.key: "test" if i in set(test) else "train" for i, v in enumerate(videos)})
        for k, (_train, test) in enumerate(folds)
    )
    return manifest.replace(splits=splits)


def prepare(source: Path, dataset: Path) -> None:
    """Import, folds, flow."""
    if not (dataset / "manifest.json").exists():
        engine("ingest", source, "--out", dataset, "--name", "fight-surv")
        save_manifest(dataset, with_folds(load_manifest(dataset)))
    spec = dataset / "flow.json"
    spec.write_text(FlowSpec(method=DIS()).model_dump_json())
    engine("flow", dataset, "--spec", spec)


def top1(scores: Path) -> float:
    """Accuracy from the results beside a score file."""
    results = scores.with_name("results.json") if scores.name == "scores.npz" else scores.with_suffix(".json")
    return float(json.loads(results.read_text())["metrics"]["top1"])


def run_fold(dataset: Path, work: Path, fold: str) -> dict[str, float]:
    """Both streams and their fusions on one fold: name → top-1."""
    accuracies = {}
    scores = []
    for stream, config in STREAMS.items():
        run = work / f"{fold}-{stream}"
        out = run / "test" / "scores.npz"
        if not out.exists():
            placed = config.replace(data=config.data.replace(dataset=str(dataset), split=fold))
            run.mkdir(parents=True, exist_ok=True)
            (work / f"{fold}-{stream}.json").write_text(placed.model_dump_json())
            engine("train", work / f"{fold}-{stream}.json", "--out", run)
            engine("evaluate", run, "--subset", "test", "--protocol", PROTOCOL, "--out", run / "test")
        accuracies[stream] = top1(out)
        scores.append(out)
    for name, (method, normalize) in FUSIONS.items():
        out = work / f"{fold}-{name}.npz"
        engine("fuse", *scores, "--method", method, "--normalize", normalize, "--out", out)
        accuracies[f"fusion, {name}"] = top1(out)
    return accuracies


def main() -> None:
    data = Path(os.environ.get("KINETOSCOPE_REAL_DATA", "../shared/data")) / "fight-surv"
    if not data.is_dir():
        sys.exit(f"There are no clips in {data}; KINETOSCOPE_REAL_DATA names another folder.")
    work = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/real").resolve()
    dataset = work / "dataset"
    prepare(data, dataset)
    folds = [run_fold(dataset, work, f"fold{k}") for k in range(FOLDS)]
    print(f"Top-1 in %, {PROTOCOL}, {FOLDS} source-disjoint folds; chance 50 %")
    print("| | " + " | ".join(f"fold {k}" for k in range(FOLDS)) + " | mean ± SD |\n" + "|---" * (FOLDS + 2) + "|")
    for name in folds[0]:
        values = [100 * fold[name] for fold in folds]
        print(
            f"| {name} | "
            + " | ".join(f"{value:.1f}" for value in values)
            + f" | {statistics.mean(values):.1f} ± {statistics.stdev(values):.1f} |"
        )


if __name__ == "__main__":
    main()
