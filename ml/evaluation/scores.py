"""Score files: the waist of the system. Fusion, metrics, comparison and galleries read these and need no GPU."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.errors import BadScores
from ml.evaluation.arrays import Arrays, about_of, read_arrays, write_arrays
from ml.words import Words

FIELDS = ("scores", "labels", "videos", "classes")
"""What every score file has. One that another program wrote may lack `groups`, and says its `protocol` in the place of `about`."""

ADVICE = "Write it again with `evaluate` or `fuse`."


@dataclass(frozen=True)
class Scores:
    """One score vector a video, of one run (or fusion) on one subset under one protocol.

    `about` says where the numbers come from: `short`, `description`, `protocol`, `subset`, `split`, `dataset`, `snapshot`,
    `run`, `modality`, `left_out`; a fusion has `fusion` and `members` (the `about` of each stream).

    Raises:
        BadScores: shapes that do not fit, labels out of range, a video listed twice, a score that is no number.
    """

    scores: NDArray[np.float32]
    """(V, N) before softmax. A score that is a probability is stored as its logarithm, so softmax gives it back."""
    labels: NDArray[np.int64]
    """(V,) index of the true class."""
    videos: NDArray[np.str_]
    """(V,) keys of the videos in their dataset."""
    groups: NDArray[np.str_]
    """(V,) what must not be torn apart (UCF101's gNN); empty where a video stands for itself."""
    classes: NDArray[np.str_]
    """(N,) names."""
    about: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    """What else the file carries: a fusion's SVM."""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise BadScores("These are no scores: {problem}", ADVICE, problem=problem)

    def probabilities(self) -> NDArray[np.float64]:
        """(V, N) softmax of the scores."""
        return softmax(self.scores)

    def reordered(self, order: NDArray[np.intp]) -> Self:
        """The same videos in another order, or some of them."""
        parts = {name: getattr(self, name)[order] for name in ("scores", "labels", "videos", "groups")}
        return type(self)(**parts, classes=self.classes, about=self.about, arrays=self.arrays)

    def save(self, path: Path) -> None:
        """Write the whole file or nothing. `protocol` is for whoever opens it without us."""
        arrays = {name: getattr(self, name) for name in _KINDS}
        arrays["protocol"] = np.array(stated(self.about))
        arrays |= {f"extra_{name}": array for name, array in self.arrays.items()}
        write_arrays(path, arrays, self.about)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a score file, of ours or another program's; nothing in it is ever unpickled.

        Raises:
            BadScores: it is missing, damaged, or no score file.
        """
        arrays = read_arrays(path, Words("score file"), ADVICE)
        missing = [name for name in FIELDS if name not in arrays]
        if missing:
            raise BadScores("{path} is no score file: it has no {missing}", ADVICE, path=path, missing=repr(missing[0]))
        arrays.setdefault("groups", np.full(arrays["videos"].shape, ""))
        extra = {name.removeprefix("extra_"): array for name, array in arrays.items() if name.startswith("extra_")}
        try:
            parts = {name: arrays[name].astype(kind) for name, kind in _KINDS.items()}
            return cls(**parts, about=_about(arrays), arrays=extra)
        except (ValueError, TypeError) as error:
            raise BadScores("{path} is damaged: {problem}", ADVICE, path=path, problem=error) from error
        except BadScores as error:
            raise BadScores("{path}: {problem}", error.advice, path=path, problem=error.message) from error


_KINDS: dict[str, type[np.generic]] = {"scores": np.float32, "labels": np.int64, "videos": np.str_, "groups": np.str_, "classes": np.str_}


def softmax(scores: NDArray[Any]) -> NDArray[np.float64]:
    """(…, N) → (…, N): e^s / Σ e^s, computed without overflow in float64."""
    shifted = scores.astype(np.float64) - scores.max(axis=-1, keepdims=True)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def log_probabilities(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """(…, N) probabilities → the scores that softmax turns back into them; zero becomes the smallest float32's logarithm."""
    return np.asarray(np.log(np.maximum(probabilities, np.finfo(np.float32).tiny)), dtype=np.float32)


def stated(about: dict[str, Any]) -> str:
    """What stands beside every number: `25x10 (25 frames × 10 crops, …), test of split 1`."""
    place = f", {about.get('subset') or 'unknown subset'} of split {about.get('split') or '?'}"
    return f"{about.get('short') or '?'} ({about.get('description') or 'protocol unknown'}){place}"


def _about(arrays: Arrays) -> dict[str, Any]:
    if "about" in arrays:
        return about_of(arrays)
    return {"description": str(arrays["protocol"]) if "protocol" in arrays else "the file does not state its protocol"}


def _problem(s: Scores) -> str:
    """The first thing wrong with the arrays, or nothing."""
    V, N = len(s.videos), len(s.classes)
    if V == 0 or N == 0:
        return Words("{videos} videos, {classes} classes", videos=V, classes=N)
    if s.scores.shape != (V, N):
        return Words("expected scores of shape {expected}, got {shape}", expected=(V, N), shape=s.scores.shape)
    for name in ("labels", "groups"):
        if getattr(s, name).shape != (V,):
            return Words("expected {count} {name}, got shape {shape}", count=V, name=name, shape=getattr(s, name).shape)
    if not np.isfinite(s.scores).all():
        return Words("a score of {video} is not finite", video=s.videos[~np.isfinite(s.scores).all(axis=1)][0])
    if s.labels.min() < 0 or s.labels.max() >= N:
        return Words("labels from {low} to {high} for {classes} classes", low=s.labels.min(), high=s.labels.max(), classes=N)
    for name in ("videos", "classes"):
        values, counts = np.unique(getattr(s, name), return_counts=True)
        if counts.max() > 1:
            return Words("{value} is listed {count} times in {name}", value=values[counts.argmax()], count=counts.max(), name=name)
    return "" if isinstance(s.about, dict) else Words("`about` is no JSON object")
