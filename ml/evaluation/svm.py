"""The multi-class linear SVM that fuses streams (Simonyan & Zisserman 2014, sec. 1.3 [Crammer & Singer, JMLR 2001])."""

import warnings
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ml.errors import BadScores

MAX_ITERATIONS = 20_000


@dataclass(frozen=True)
class LinearSVM:
    """scores = x Wᵀ + b for the classes that were seen in fitting; plain arrays, so that it is stored without pickle."""

    weights: NDArray[np.float64]
    """(M, D), one row a seen class."""
    bias: NDArray[np.float64]
    """(M,)"""
    seen: NDArray[np.int64]
    """(M,) class indices."""
    num_classes: int

    @classmethod
    def fit(cls, x: NDArray[Any], labels: NDArray[np.int64], num_classes: int, c: float) -> Self:
        """(V, D), (V,) → the SVM scikit-learn's LinearSVC(multi_class="crammer_singer") finds.

        Raises:
            BadScores: fewer than two classes to tell apart.
        """
        from sklearn.exceptions import ConvergenceWarning  # a second, which averages and predictions do not pay
        from sklearn.svm import LinearSVC

        if len(np.unique(labels)) < 2:
            raise BadScores("An SVM needs videos of at least two classes to be fitted on", "Fuse by average, or fit on more videos.")
        machine = LinearSVC(multi_class="crammer_singer", C=c, random_state=0, max_iter=MAX_ITERATIONS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # for a huge C; the last iterate is then as good as it gets
            machine.fit(x, labels)
        weights, bias = machine.coef_, machine.intercept_
        if len(weights) == 1:  # two classes come back as one hyperplane, positive for the second
            weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
        return cls(weights, bias, machine.classes_.astype(np.int64), num_classes)

    def scores(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """(V, D) → (V, N). A class that was not seen in fitting scores 1 below the lowest: it can't win."""
        found = x @ self.weights.T + self.bias  # (V, M)
        scores = np.repeat(found.min(axis=1, keepdims=True) - 1, self.num_classes, axis=1)  # (V, N)
        scores[:, self.seen] = found
        return scores.astype(np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As it is stored in a score file."""
        return {"svm_weights": self.weights, "svm_bias": self.bias, "svm_seen": self.seen}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], num_classes: int) -> Self:
        """`arrays()` back into the SVM.

        Raises:
            BadScores: the file holds none, or one of another shape.
        """
        try:
            weights, bias, seen = arrays["svm_weights"], arrays["svm_bias"], arrays["svm_seen"].astype(np.int64)
        except KeyError as error:
            raise BadScores("This fusion's file holds no SVM", "Write it again with `fuse`.") from error
        if weights.ndim != 2 or not len(weights) == len(bias) == len(seen) or seen.max() >= num_classes:
            raise BadScores("The SVM in this file does not fit {classes} classes", "Write it again with `fuse`.", classes=num_classes)
        return cls(weights, bias, seen, num_classes)
