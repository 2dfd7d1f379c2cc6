"""A metric over the values of an axis: a line a stream or fusion, whiskers for the standard deviation, the paper's numbers beside."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from pydantic import JsonValue

from webapp.charts.names import axis_names
from webapp.charts.palette import color_of
from webapp.experiments.config_rows import readable
from webapp.experiments.studies.table import Line, StudyTable
from webapp.metrics import TITLES
from webapp.punctuation import listed


def study_chart(table: StudyTable) -> dict[str, Any]:
    """Over the first axis; without one, over the streams and fusions. Percentages."""
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line in table.lines:
        groups[_group(line, table)].append(line)
    traces = [trace for place, (name, lines) in enumerate(groups.items()) for trace in _traces(name, lines, table, color_of(place))]
    return {"data": traces, "layout": _layout(table)}


def _group(line: Line, table: StudyTable) -> str:
    """What has one line: the source with its other settings."""
    others = zip(table.axis_titles[1:], line.settings[1:], strict=True)
    return listed([line.row.source.name, *(f"{title} {value}" for title, value in others if value != "–")])


def _traces(name: str, lines: Sequence[Line], table: StudyTable, color: str) -> list[dict[str, Any]]:
    """Ours, and the paper's where it has numbers. A source that the axis does not move is a level over all its values."""
    points = [(x, line) for line in lines for x in _places(line, table)]
    title = axis_names([name])[0]
    common = {"type": "scatter", "mode": "lines+markers", "x": [x for x, _line in points]}
    spreads = [line.row.spread(table.metric) for _x, line in points]
    ours = {
        **common,
        "name": title,
        "y": [_percent(spread.mean) for spread in spreads],
        "error_y": {"type": "data", "array": [_percent(spread.sd) or 0 for spread in spreads], "thickness": 1.2},
        "line": {"color": color},
        "marker": {"size": 8},
        "customdata": [
            f"{spread} ({len(line.row.measured)}/{line.row.wanted})" for spread, (_x, line) in zip(spreads, points, strict=True)
        ],
        "hovertemplate": f"%{{x}}: %{{customdata}}<br>{axis_names([lines[0].row.protocol])[0]}<extra>%{{fullData.name}}</extra>",
    }
    paper = {
        **common,
        "name": f"{title}, {table.published.number}" if table.published else "",
        "y": [line.published_percent for _x, line in points],
        "line": {"color": color, "dash": "dot", "width": 1},
        "marker": {"size": 8, "symbol": "diamond-open"},
        "hovertemplate": "%{x}: %{y:.1f}<extra>%{fullData.name}</extra>",
    }
    return [ours, paper] if any(line.published_percent is not None for line in lines) else [ours]


def _places(line: Line, table: StudyTable) -> list[JsonValue]:
    """Where a line's number stands: over its value, over all of them, or over its name."""
    if not table.axes:
        return [*axis_names([line.row.source.name])]
    axis = table.axes[0]
    values = [line.row.settings[axis.field]] if axis.field in line.row.settings else [*axis.values]
    return values if _is_numeric(table) else [axis_names([str(readable(value))])[0] for value in values]


def _is_numeric(table: StudyTable) -> bool:
    return bool(table.axes) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in table.axes[0].values)


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 2)


def _layout(table: StudyTable) -> dict[str, Any]:
    ticks = {"tickvals": [*table.axes[0].values]} if _is_numeric(table) else {"type": "category"}
    return {
        "height": 380,
        "margin": {"l": 8, "r": 16, "t": 36, "b": 48},
        "xaxis": {"title": {"text": table.axis_titles[0] if table.axes else ""}, "fixedrange": True, **ticks},
        "yaxis": {"title": {"text": _("%(metric)s in %%") % {"metric": TITLES[table.metric]}}, "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
    }
