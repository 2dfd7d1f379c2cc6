"""What metrics are called on our pages, and how each is defined."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ml.config.evaluation import METRIC_DEFINITIONS

TITLES: dict[str, Promise] = {
    "top1": gettext_lazy("Top-1"),
    "top5": gettext_lazy("Top-5"),
    "mean_class_accuracy": gettext_lazy("Mean class accuracy"),
    "map": gettext_lazy("mAP"),
    "map_voc2007": gettext_lazy("mAP VOC 2007"),
    "map_voc2010": gettext_lazy("mAP VOC 2010"),
}

AVERAGE_PRECISIONS: dict[str, Promise] = {
    "": gettext_lazy("not interpolated"),
    "_voc2007": gettext_lazy("VOC 2007, 11 points"),
    "_voc2010": gettext_lazy("VOC 2010, area"),
}
"""The definitions, by what is written behind `ap` and `map`."""


def definition_of(metric: str) -> str:
    """What `map_voc2007` is, to stand beside its number."""
    return _(METRIC_DEFINITIONS[metric])


def definitions(metrics: Iterable[str], separator: str = "; ") -> str:
    """`map: …; map_voc2007: …`, for a file that leaves the site."""
    return separator.join(f"{metric}: {METRIC_DEFINITIONS[metric]}" for metric in metrics)
