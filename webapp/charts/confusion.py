"""The confusion matrix as a heat map: true classes are rows, predicted ones columns."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import LONGEST, axis_names
from webapp.experiments.results import Confusion

# From nothing to blue, by transparency: reads on a light page and on a dark one.
SCALE = ((0, "rgba(31,131,201,0)"), (0.001, "rgba(31,131,201,0.14)"), (1, "rgba(31,131,201,1)"))
LARGEST_LABELLED = 120
LARGEST_LABELLED_SMALL = 30
LONGEST_BESIDE_MANY = 20
WRITTEN_CELLS = 12


def confusion_map(
    confusion: Confusion,
    names: Sequence[str],
    order: Sequence[int],
    *,
    normalized: bool = True,
    diagonal: bool = True,
    is_small: bool = False,
    cells_at: str = "",
) -> dict[str, Any]:
    """Cells in the order of these class indices, which may be some of the classes: a share is of all videos of its class.

    Args:
        normalized: share of the class instead of the count; a row without videos stays empty.
        diagonal: False leaves the right answers out, so that the colours tell the mistakes apart.
        is_small: one of several side by side: low lines, and nothing written in the cells.
        cells_at: address of the videos behind a cell, to which `true=` and `predicted=` are added on a click.
    """
    counts, totals = [[confusion[i][j] for j in order] for i in order], [sum(confusion[i]) for i in order]
    is_written, shown = len(order) <= WRITTEN_CELLS and not is_small, [names[index] for index in order]
    labels = axis_names(shown, LONGEST if is_written else LONGEST_BESIDE_MANY)
    rows = enumerate(zip(counts, totals, strict=True))
    cells = [_row(row, total if normalized else None, None if diagonal else place) for place, (row, total) in rows]
    heat = {"z": cells, "x": labels, "y": labels, "customdata": counts, **_look(len(order))}
    if normalized and diagonal:
        heat["zmax"] = 1  # one scale for matrices side by side; without the diagonal the mistakes need all of it
    if is_written:
        heat |= {"text": [[_written(cell, normalized) for cell in line] for line in cells], "texttemplate": "%{text}"}
    meta = {"cells": cells_at, "order": list(order), "names": shown, "totals": totals, "told": _told()}
    return {"data": [heat], "layout": _layout(labels, is_small, meta)}


def _look(N: int) -> dict[str, Any]:
    gap = 1 if N <= LARGEST_LABELLED else 0
    look = {"type": "heatmap", "colorscale": SCALE, "zmin": 0, "showscale": False, "xgap": gap, "ygap": gap}
    return {**look, "hoverongaps": False, "hoverinfo": "none"}


def _told() -> dict[str, str]:
    """What is said of a cell that is pointed at, above the matrix: a box beside the pointer would cover the cells around."""
    return {
        "none": _("Point at a cell to read it."),
        "right": _("{true}: {count} of {total} recognised ({share})"),
        "wrong": _("{true} taken for {predicted}: {count} of {total} ({share})"),
    }


def _row(counts: Sequence[int], total: int | None, left_out: int | None) -> list[float | None]:
    """Counts, or shares of a total if there is one; nothing in the place that is left out."""
    cells = counts if total is None else [round(count / total, 3) if total else 0 for count in counts]
    return [None if place == left_out else cell for place, cell in enumerate(cells)]


def _written(cell: float | None, normalized: bool) -> str:
    """What stands in a cell: nothing where there are no videos."""
    return "" if not cell else f"{cell:.0%}" if normalized else str(cell)


def _layout(labels: Sequence[str], is_small: bool, meta: dict[str, Any]) -> dict[str, Any]:
    """Every class has its label up to LARGEST_LABELLED; beyond that Plotly thins them out until one zooms in."""
    N = len(labels)
    axis = {"type": "category", "tickfont": {"size": 9 if N > 60 else 11}, "showgrid": False}
    if is_small and N > LARGEST_LABELLED_SMALL:
        axis["showticklabels"] = False  # the pointer tells them
    elif N <= LARGEST_LABELLED:
        axis["dtick"] = 1
    return {
        "height": 190 + _cells_height(N, is_small),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {**axis, "title": {"text": _("predicted")}, "tickangle": -90 if N > 5 or is_small else 0},
        "yaxis": {**axis, "title": {"text": _("true")}, "autorange": "reversed"},
        "meta": meta,
    }


def _cells_height(N: int, is_small: bool) -> int:
    """Pixels of the cells alone: a line each as long as they are labelled, then as much as a screen shows."""
    if is_small:
        return min(max(160, 13 * N), 420)
    return 900 if N > LARGEST_LABELLED else max(200, N * (36 if N <= WRITTEN_CELLS else 13))
