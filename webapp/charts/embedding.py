"""The map of the embeddings: a point a video; the chosen classes in colour, the others grey; what was wrong is a cross."""

from collections.abc import Sequence
from html import escape
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.charts.palette import GRAY, color_of
from webapp.experiments.embedding import Place

MOST_GREY = 4000
"""Points that a browser draws at once without a pause."""

SYMBOLS = {True: "circle", False: "x"}


def embedding_map(
    places: Sequence[Place], names: Sequence[str], colored: Sequence[int], axes: tuple[str, str], addresses: dict[str, str]
) -> dict[str, Any]:
    """Points of the same scale on both axes.

    Args:
        names: of all classes, by index.
        colored: indices of the classes with a colour; their places in the list decide which.
        axes: titles; empty where the axes have no meaning.
        addresses: of a video's `poster`, `proxy` and `neighbours`, with 0 in the place of its id; for the script of the page.
    """
    labels = axis_names(names)
    traces = [trace for group in (None, *colored) for trace in _traces(places, labels, group, colored)]
    return {"data": traces, "layout": {**_layout(axes), "meta": {"addresses": addresses}}}


def grey_stride(num_grey: int) -> int:
    """Of the grey videos every how many-th is drawn."""
    return -(-num_grey // MOST_GREY) or 1


def num_grey(places: Sequence[Place], colored: Sequence[int]) -> int:
    return sum(place.true not in colored for place in places)


def _traces(places: Sequence[Place], labels: Sequence[str], group: int | None, colored: Sequence[int]) -> list[dict[str, Any]]:
    """The right and the wrong videos of a class, or of all that are grey, and its entry in the legend; nothing where there are none."""
    mine = [place for place in places if (place.true not in colored if group is None else place.true == group)]
    shown = mine[:: grey_stride(len(mine))] if group is None else mine
    sides = [[place for place in shown if place.is_correct == is_right] for is_right in SYMBOLS]
    traces = [_trace(side, labels, group, colored, side[0].is_correct) for side in sides if side]
    return [*traces, _entry(traces[0])] if traces else []


def _entry(trace: dict[str, Any]) -> dict[str, Any]:
    """A colour with its name: no point, and a square, which says nothing of right and wrong."""
    nothing: dict[str, Any] = {"x": [None], "y": [None], "customdata": [], "text": []}
    return {**trace, **nothing, "marker": {**trace["marker"], "symbol": "square"}, "showlegend": True}


def _trace(places: Sequence[Place], labels: Sequence[str], group: int | None, colored: Sequence[int], is_right: bool) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": _("other classes") if group is None else labels[group],
        "showlegend": False,
        "legendgroup": "" if group is None else f"class{group}",
        "x": [place.x for place in places],
        "y": [place.y for place in places],
        "customdata": [place.id for place in places],
        "text": [_told(place, labels) for place in places],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "color": GRAY if group is None else color_of(list(colored).index(group)),
            "symbol": SYMBOLS[is_right],
            "size": 5 if group is None else 8,
            "opacity": 0.4 if group is None else 0.9,
            "line": {"width": 0 if group is None else 0.5, "color": GRAY},
        },
    }


def _told(place: Place, labels: Sequence[str]) -> str:
    true, predicted = labels[place.true], labels[place.predicted]
    return f"{true}<br>{escape(_('taken for'))} {predicted}" if not place.is_correct else true


def _layout(axes: tuple[str, str]) -> dict[str, Any]:
    axis = {"zeroline": False, "showticklabels": bool(axes[0]), "showgrid": bool(axes[0])}
    return {
        "height": 560,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "hovermode": "closest",
        "xaxis": {**axis, "title": {"text": axes[0]}},
        "yaxis": {**axis, "title": {"text": axes[1]}, "scaleanchor": "x"},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "showlegend": True,
    }
