"""Scores → numbers. Every definition stands in a docstring and travels with the numbers."""

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.config.evaluation import METRIC_DEFINITIONS
from ml.evaluation.average_precision import DEFINITIONS, average_precisions
from ml.evaluation.scores import Scores
from ml.words import Words

Z95 = 1.959963984540054
"""97.5 % quantile of the normal distribution: a two-sided 95 % interval."""


def metrics(scores: Scores) -> dict[str, Any]:
    """All numbers of one score file, as fractions 0..1, with the protocol they were measured under."""
    table = confusion(scores.scores, scores.labels)
    rows = per_class(scores, table)
    return {
        "top1": top_k(scores.scores, scores.labels, 1),
        "top5": top_k(scores.scores, scores.labels, 5),
        "mean_class_accuracy": _mean(row["recall"] for row in rows),
        **mean_average_precisions(rows, scores),
        "num_videos": len(scores.videos),
        "num_classes": len(scores.classes),
        "per_class": rows,
        "confusion": table.tolist(),
        "protocol": {key: scores.about.get(key, "") for key in ("short", "description", "subset", "split")},
        "definitions": METRIC_DEFINITIONS,
        "notes": _notes(scores, rows),
    }


def true_ranks(scores: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.intp]:
    """(V, N), (V,) → (V,): 0 where the true class has the highest score. Of equal scores the lower index goes first, as in argmax."""
    order = np.argsort(-scores, axis=1, kind="stable")  # (V, N)
    return np.asarray(np.argmax(order == labels[:, None], axis=1))


def top_k(scores: NDArray[Any], labels: NDArray[np.int64], k: int) -> float:
    """Share of videos whose true class is among the k highest-scored."""
    return float(np.mean(true_ranks(scores, labels) < k))


def confusion(scores: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N, N) counts: rows are true classes, columns predicted ones."""
    N = scores.shape[1]
    return np.bincount(labels * N + scores.argmax(axis=1), minlength=N * N).reshape(N, N)


def mean_average_precisions(rows: list[dict[str, Any]], scores: Scores) -> dict[str, float]:
    """By each definition, over classes with videos: `map` of class probabilities, `map_raw` of the scores before softmax, which rank
    videos otherwise: a video's softmax depends on all its scores.
    """
    raw = [average_precisions(scores.labels == index, scores.scores[:, index]) for index in range(len(scores.classes))]
    softmax = [{name: row[f"ap{name}"] for name in DEFINITIONS} for row in rows]
    return {
        f"map{name}{kind}": _mean(each[name] for each in of_class)
        for kind, of_class in (("", softmax), ("_raw", raw))
        for name in DEFINITIONS
    }


def _mean(values: Iterable[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (JASA 1927); sensible for few trials and at 0 and 1."""
    share, z2 = successes / trials, Z95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = Z95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return (centre - half if successes else 0.0), (centre + half if successes < trials else 1.0)


def per_class(scores: Scores, table: NDArray[np.int64]) -> list[dict[str, Any]]:
    """One row a class, in class order; `table` is the confusion matrix."""
    probabilities = scores.probabilities()
    predicted = table.sum(axis=0)
    rows = []
    for index, name in enumerate(scores.classes):
        support, correct = int(table[index].sum()), int(table[index, index])
        low, high = wilson(correct, support) if support else (None, None)
        rows.append(
            {
                "index": index,
                "name": str(name),
                "support": support,
                "correct": correct,
                "recall": correct / support if support else None,
                "recall_low": low,
                "recall_high": high,
                "precision": correct / int(predicted[index]) if predicted[index] else None,
                **{f"ap{name}": ap for name, ap in average_precisions(scores.labels == index, probabilities[:, index]).items()},
            }
        )
    return rows


def video_rows(scores: Scores) -> list[dict[str, Any]]:
    """One row a video, in file order: what was predicted, and how far off the truth was (`true_rank` 0 is right)."""
    probabilities, ranks = scores.probabilities(), true_ranks(scores.scores, scores.labels)
    best = np.argsort(-scores.scores, axis=1, kind="stable")[:, :5]
    return [
        {
            "video": str(video),
            "label": int(label),
            "predicted": int(top[0]),
            "true_rank": int(rank),
            "true_probability": float(p[label]),
            "top": [[int(i), float(p[i])] for i in top],
        }
        for video, label, rank, p, top in zip(scores.videos, scores.labels, ranks, probabilities, best, strict=True)
    ]


def _notes(scores: Scores, rows: list[dict[str, Any]]) -> list[Words]:
    """What a reader of the means must know."""
    empty = [row["name"] for row in rows if not row["support"]]
    left_out = scores.about.get("left_out") or []
    notes = []
    if empty:
        sentence = "{count} of {total} classes have no videos here and are left out of the means: {names}"
        notes.append(Words(sentence, count=len(empty), total=len(rows), names=", ".join(empty[:10])))
    if left_out:
        sentence = "{count} videos could not be read and are not counted: {names}"
        notes.append(Words(sentence, count=len(left_out), names=", ".join(left_out[:10])))
    return notes
