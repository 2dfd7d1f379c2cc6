"""Average precision of a class, by the three definitions in use: videos in the order of how sure a system is that they are of it.

Everingham, Van Gool, Williams, Winn & Zisserman, "The PASCAL Visual Object Classes (VOC) Challenge", IJCV 88(2), 2010, section 4.2.

P_n and R_n are precision and recall of all videos down to the n-th distinct confidence, R_0 = 0, and

    p(r) = max_{n: R_n ≥ r} P_n                                    interpolated precision: the best at this recall or more

    AP  not interpolated   Σ_n (R_n − R_{n−1}) P_n                  scikit-learn's
    AP  VOC 2007           1/11 Σ_{r ∈ {0, 0.1, …, 1}} p(r)         of VOC until 2009, and of the paper above
    AP  VOC 2010           Σ_n (R_n − R_{n−1}) p(R_n)               of VOC since 2010: the area under p

Deviation: VOC's programs take videos of equal confidence one by one, in the order in which they happen to stand; here they come together.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def not_interpolated(hits: Counts, seen: Counts) -> float:
    return float(np.sum(_gained(hits) * hits / seen))


def voc2007(hits: Counts, seen: Counts) -> float:
    precision, tenths = hits / seen, range(11)
    return float(np.mean([precision[10 * hits >= tenth * hits[-1]].max() for tenth in tenths]))


def voc2010(hits: Counts, seen: Counts) -> float:
    interpolated = np.maximum.accumulate((hits / seen)[::-1])[::-1]
    return float(np.sum(_gained(hits) * interpolated))


DEFINITIONS: dict[str, Callable[[Counts, Counts], float]] = {"": not_interpolated, "_voc2007": voc2007, "_voc2010": voc2010}
"""By what is written behind `ap`, and behind `map`."""


def average_precisions(positive: NDArray[np.bool_], confidence: NDArray[Any]) -> dict[str, float | None]:
    """By each definition, of (V,) videos; None without a positive."""
    if not positive.any():
        return dict.fromkeys(DEFINITIONS)
    hits, seen = ranked(positive, confidence)
    return {name: definition(hits, seen) for name, definition in DEFINITIONS.items()}


def ranked(positive: NDArray[np.bool_], confidence: NDArray[Any]) -> tuple[Counts, Counts]:
    """(n,), (n,): how many positives, and how many videos, have at least the n-th highest distinct confidence."""
    order = np.argsort(-confidence, kind="stable")
    last_of_tie = np.append(np.diff(confidence[order]) != 0, True)
    return np.cumsum(positive[order])[last_of_tie], np.flatnonzero(last_of_tie) + 1


def _gained(hits: Counts) -> NDArray[np.float64]:
    """(n,) R_n − R_{n−1}."""
    return np.asarray(np.diff(hits, prepend=0) / hits[-1])
