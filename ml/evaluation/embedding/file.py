"""Embedding files: kept beside the scores, so that a map or a measure needs no network and no GPU again."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.errors import BadScores
from ml.evaluation.arrays import about_of, read_arrays, write_arrays
from ml.words import Words

ADVICE = "Write it again with `evaluate`."
KINDS: dict[str, type[np.generic]] = {"embeddings": np.float32, "labels": np.int64, "videos": np.str_, "classes": np.str_}


@dataclass(frozen=True)
class Embeddings:
    """One vector a video, of one run on one subset under one protocol.

    `about` is that of the scores with `space`: `kind` "metric" (a branch that learns distances) or "features" (what the last layer
    sees), and `is_unit` where all have length 1.

    Raises:
        BadScores: shapes that do not fit, labels out of range, a number that is none.
    """

    embeddings: NDArray[np.float32]
    """(V, D)"""
    labels: NDArray[np.int64]
    """(V,) index of the true class."""
    videos: NDArray[np.str_]
    """(V,) keys of the videos in their dataset."""
    classes: NDArray[np.str_]
    """(N,) names."""
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise BadScores("These are no embeddings: {problem}", ADVICE, problem=problem)

    def save(self, path: Path) -> None:
        """Write the whole file or nothing; not compressed, since noise does not shrink."""
        write_arrays(path, {name: getattr(self, name) for name in KINDS}, self.about, compressed=False)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises:
        BadScores: it is missing, damaged, or no embedding file.
        """
        arrays = read_arrays(path, Words("embedding file"), ADVICE)
        missing = [name for name in (*KINDS, "about") if name not in arrays]
        if missing:
            raise BadScores("{path} is no embedding file: it has no {missing}", ADVICE, path=path, missing=repr(missing[0]))
        try:
            return cls(**{name: arrays[name].astype(kind) for name, kind in KINDS.items()}, about=about_of(arrays))
        except (ValueError, TypeError) as error:
            raise BadScores("{path} is damaged: {problem}", ADVICE, path=path, problem=error) from error


def _problem(e: Embeddings) -> str:
    """The first thing wrong with the arrays, or nothing."""
    V, N = len(e.videos), len(e.classes)
    if e.embeddings.ndim != 2 or len(e.embeddings) != V or not e.embeddings.size:
        return Words("expected {count} vectors, got an array of shape {shape}", count=V, shape=e.embeddings.shape)
    if e.labels.shape != (V,) or e.labels.min() < 0 or e.labels.max() >= N:
        return Words(
            "expected {count} labels of {classes} classes, got {shape} with values up to {high}",
            count=V,
            classes=N,
            shape=e.labels.shape,
            high=e.labels.max(initial=0),
        )
    broken = ~np.isfinite(e.embeddings).all(axis=1)
    return Words("that of {video} is not finite", video=e.videos[broken][0]) if broken.any() else ""
