"""What a run gains or loses against another one, class by class."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from webapp.charts.names import axis_names
from webapp.charts.palette import BLUE, VERMILION
from webapp.experiments.results import ClassResult


def recall_deltas(before: Sequence[ClassResult], after: Sequence[ClassResult], href: Callable[[int], str]) -> dict[str, Any]:
    """Recall of `after` minus recall of `before`, best gain on top; classes without videos are left out."""
    pairs = [(b, a, a.recall - b.recall) for b, a in zip(before, after, strict=True) if a.recall is not None and b.recall is not None]
    pairs.sort(key=lambda pair: (-pair[2], pair[1].name))
    labels = axis_names([after.name for _before, after, _delta in pairs])
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [round(delta, 6) for _before, _after, delta in pairs],
        "y": labels,
        "marker": {"color": [BLUE if delta >= 0 else VERMILION for _before, _after, delta in pairs]},
        "customdata": [
            {"href": href(a.index), "before": f"{b.correct} / {b.support}", "after": f"{a.correct} / {a.support}"} for b, a, _delta in pairs
        ],
        "hovertemplate": f"%{{y}}: %{{x:+.1%}}<br>{_('right')}: %{{customdata.before}} → %{{customdata.after}}<extra></extra>",
    }
    return {
        "data": [bars],
        "layout": {
            "height": 100 + 18 * len(labels),
            "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
            "xaxis": {"tickformat": "+.0%", "side": "top", "title": {"text": _("change of recall")}, "fixedrange": True, "zeroline": True},
            "yaxis": {"type": "category", "categoryorder": "array", "categoryarray": labels[::-1], "dtick": 1, "tickfont": {"size": 11}},
        },
    }
