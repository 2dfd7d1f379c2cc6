"""The main job on real clips: 300 surveillance videos, fight or not, five folds that keep each source video together.

`python -m benchmarks.real [WORK_FOLDER]` goes on where it stopped when the same folder is given again. With
KINETOSCOPE_HELD_OUT_FOLDS=5 the SVM is also fitted on held-out folds of the training groups: every stream is trained five more times.
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
HELD_OUT = int(os.environ.get("KINETOSCOPE_HELD_OUT_FOLDS", "0"))
SVM = ("--method", "svm", "--normalize", "l2")


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


def trained(dataset: Path, work: Path, name: str, config: ExperimentConfig) -> Path:
    """The folder of a run, which is trained if it was not yet."""
    run = work / name
    if not (run / "model.safetensors").exists():
        (work / f"{name}.json").write_text(config.replace(data=config.data.replace(dataset=str(dataset))).model_dump_json())
        engine("train", work / f"{name}.json", "--out", run)
    return run


def scored(run: Path, subset: str) -> Path:
    """The scores of a run on a subset of its split."""
    out = run / subset / "scores.npz"
    if not out.exists():
        engine("evaluate", run, "--subset", subset, "--protocol", PROTOCOL, "--out", run / subset)
    return out


def streams_of(fold: str) -> dict[str, ExperimentConfig]:
    return {name: config.replace(data=config.data.replace(split=fold)) for name, config in STREAMS.items()}


def held_out(dataset: Path, work: Path, fold: str) -> list[list[Path]]:
    """Scores of all training videos by runs that had not learnt them: a file a stream, once for each fold of the training groups."""
    runs = [config.fold_runs(HELD_OUT) for config in streams_of(fold).values()]
    names = [f"{fold}-{stream}-without-{{}}-of-{HELD_OUT}" for stream in STREAMS]
    return [
        [scored(trained(dataset, work, name.format(k), config), "validation") for name, config in zip(names, configs, strict=True)]
        for k, configs in enumerate(zip(*runs, strict=True), start=1)
    ]


def fused(work: Path, name: str, scores: list[Path], *words: str, fit: list[list[Path]] | None = None) -> float:
    """Top-1 of a fusion, whose SVM is fitted on the scores of `fit`."""
    given = [word for files in fit or [] for word in ("--fit", *files)]
    out = work / f"{name}.npz"
    engine("fuse", *scores, *words, *given, "--out", out)
    return top1(out)


def run_fold(dataset: Path, work: Path, fold: str) -> dict[str, float]:
    """Both streams and their fusions on one fold: name → top-1."""
    runs = {name: trained(dataset, work, f"{fold}-{name}", config) for name, config in streams_of(fold).items()}
    scores = [scored(run, "test") for run in runs.values()]
    fits = {f"SVM fitted on {subset} scores": [[scored(run, subset) for run in runs.values()]] for subset in ("train", "validation")}
    if HELD_OUT:
        fits[f"SVM fitted on held-out scores, {HELD_OUT} folds"] = held_out(dataset, work, fold)
    accuracies = {name: top1(path) for name, path in zip(runs, scores, strict=True)}
    accuracies["fusion, average"] = fused(work, f"{fold}-average", scores)
    for number, (name, fit) in enumerate(fits.items()):
        accuracies[f"fusion, {name}"] = fused(work, f"{fold}-svm-{number}", scores, *SVM, fit=fit)
    return accuracies


def across(work: Path, fold: str, others: list[str]) -> float:
    """Fused by an SVM fitted on the other folds' test scores: of every video by a network that had not learnt it, though this fold's."""
    test = {name: [work / f"{name}-{stream}" / "test" / "scores.npz" for stream in STREAMS] for name in (fold, *others)}
    return fused(work, f"{fold}-svm-across", test[fold], *SVM, fit=[test[name] for name in others])


def main() -> None:
    data = Path(os.environ.get("KINETOSCOPE_REAL_DATA", "../shared/data")) / "fight-surv"
    if not data.is_dir():
        sys.exit(f"There are no clips in {data}; KINETOSCOPE_REAL_DATA names another folder.")
    work = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/real").resolve()
    dataset = work / "dataset"
    prepare(data, dataset)
    names = [f"fold{k}" for k in range(FOLDS)]
    folds = [run_fold(dataset, work, name) for name in names]
    for name, fold in zip(names, folds, strict=True):
        fold["fusion, SVM fitted on the other folds' test scores"] = across(work, name, [other for other in names if other != name])
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
