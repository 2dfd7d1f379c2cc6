"""Where scores are written: the score file, and beside it what pages and people read."""

import json
from pathlib import Path
from typing import Any

from ml.evaluation.metrics import metrics, video_rows
from ml.evaluation.scores import Scores
from ml.process import atomic_path
from ml.words import packed


def results(scores: Scores) -> dict[str, Any]:
    """What stands in `results.json`: the metrics, and one row a video."""
    return {"metrics": metrics(scores), "videos": video_rows(scores)}


def files_of(out: Path) -> tuple[Path, Path]:
    """(score file, results): `F.npz` and `F.json` for an .npz path, `scores.npz` and `results.json` in any other, a folder."""
    if out.suffix == ".npz":
        return out, out.with_suffix(".json")
    return out / "scores.npz", out / "results.json"


def write_results(out: Path, scores: Scores) -> dict[str, Any]:
    """Write both files, the results last: where they stand, the scores do too. Gives the metrics."""
    score_file, result_file = files_of(out)
    found = results(scores)
    scores.save(score_file)
    with atomic_path(result_file) as temporary:
        temporary.write_text(json.dumps(packed(found), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    metrics_found: dict[str, Any] = found["metrics"]
    return metrics_found


def headline(found: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a summary, and the protocol that stands beside them."""
    return {key: found[key] for key in ("top1", "top5", "mean_class_accuracy", "map", "map_voc2007", "num_videos", "protocol")}
