"""The distances that runs with a metric loss tell while they train."""

from collections import defaultdict
from collections.abc import Iterable

from webapp.charts.curves import CurvePoint
from webapp.experiments.models import Run, RunPoint


def distance_reports(runs: Iterable[Run]) -> dict[int, list[CurvePoint]]:
    """Reports by the ids of their runs, of those runs alone that tell distances; one query."""
    rows = RunPoint.objects.filter(run__in=runs, is_epoch_end=False, train__measures__has_key="positive_distance").order_by("step")
    found: defaultdict[int, list[CurvePoint]] = defaultdict(list)
    for run_id, *point in rows.values_list("run_id", "step", "epoch", "is_epoch_end", "train", "validation"):
        found[run_id].append(CurvePoint(*point))
    return dict(found)
