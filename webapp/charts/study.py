"""A metric over the values of an axis: a line a stream or fusion, whiskers for the standard deviation, the paper's numbers beside."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from pydantic import JsonValue

from webapp.charts.names import axis_names
from webapp.charts.palette import GRAY, color_of
from webapp.experiments.config_rows import readable
from webapp.experiments.study_table import TITLES, Line, StudyTable


def study_chart(table: StudyTable) -> dict[str, Any]:
    """Over the first axis; without one, over the streams and fusions. Percentages."""
    groups: defaultdict[str, list[Line]] = defaultdict(list)
    for line in table.lines:
        groups[_group(line, table)].append(line)
    values = [line.row.settings.get(table.axes[0].field) for line in table.lines] if table.axes else []
    is_numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values if value is not None)
    traces = [
        trace for place, (name, lines) in enumerate(groups.items()) for trace in _traces(name, lines, table, color_of(place), is_numeric)
    ]
    return {"data": traces, "layout": _layout(table, is_numeric, values)}


def _group(line: Line, table: StudyTable) -> str:
    """What has one line: the source with its other settings."""
    others = zip(table.axis_titles[1:], line.settings[1:], strict=True)
    return ", ".join([line.row.source.name, *(f"{title} {value}" for title, value in others if value != "–")])


def _traces(name: str, lines: Sequence[Line], table: StudyTable, color: str, is_numeric: bool) -> list[dict[str, Any]]:
    """Ours, and the paper's where it has numbers."""
    title = axis_names([name])[0]
    x = [_x(line, table, is_numeric) for line in lines]
    spreads = [line.row.spread(table.metric) for line in lines]
    ours = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": title,
        "x": x,
        "y": [_percent(spread.mean) for spread in spreads],
        "error_y": {"type": "data", "array": [_percent(spread.sd) or 0 for spread in spreads], "thickness": 1.2},
        "line": {"color": color},
        "marker": {"size": 8},
        "customdata": [f"{spread} ({len(spread.values)}/{line.row.wanted})" for spread, line in zip(spreads, lines, strict=True)],
        "hovertemplate": f"%{{x}}: %{{customdata}}<br>{axis_names([lines[0].row.protocol])[0]}<extra>%{{fullData.name}}</extra>",
    }
    theirs = [float(line.published) if line.published.replace(".", "").isdecimal() else None for line in lines]
    paper = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{title}: {axis_names([table.published_title])[0]}",
        "x": x,
        "y": theirs,
        "line": {"color": GRAY, "dash": "dot"},
        "marker": {"size": 8, "symbol": "diamond-open"},
        "hovertemplate": "%{x}: %{y:.1f}<extra>%{fullData.name}</extra>",
    }
    return [ours, paper] if any(value is not None for value in theirs) else [ours]


def _x(line: Line, table: StudyTable, is_numeric: bool) -> JsonValue:
    if not table.axes:
        return axis_names([line.row.source.name])[0]
    value = line.row.settings.get(table.axes[0].field)
    return value if is_numeric and value is not None else axis_names([str(readable(value)) if value is not None else "–"])[0]


def _percent(fraction: float | None) -> float | None:
    return None if fraction is None else round(100 * fraction, 2)


def _layout(table: StudyTable, is_numeric: bool, values: Sequence[JsonValue]) -> dict[str, Any]:
    ticks = (
        {"tickvals": sorted({value for value in values if isinstance(value, int | float)})}
        if is_numeric and values
        else {"type": "category"}
    )
    return {
        "height": 380,
        "margin": {"l": 8, "r": 16, "t": 36, "b": 48},
        "xaxis": {"title": {"text": table.axis_titles[0] if table.axes else ""}, "fixedrange": True, **ticks},
        "yaxis": {"title": {"text": _("%(metric)s in %%") % {"metric": TITLES[table.metric]}}, "fixedrange": True},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        "showlegend": True,
    }
