"""The table of runs: allow-listed filters and orders, and each run's newest test result with its protocol."""

from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import FloatField, JSONField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _

from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.selectors.folding import of_study
from webapp.jobs.models import Job
from webapp.jobs.waiting import AHEAD

TITLES = {
    "name": _("Name"),
    "dataset": _("Dataset · split"),
    "modality": _("Modality"),
    "backbone": _("Backbone"),
    "state": _("Status"),
    "top1": _("Top-1 on test · protocol"),
    "map": _("mAP VOC 2007"),
    "created": _("Created"),
}
ORDERS = {
    "name": "name",
    "dataset": "dataset__name",
    "modality": "config__data__input__modality",
    "backbone": "config__model__backbone",
    "state": "job__state",
    "top1": "top1",
    "map": "map_voc2007",
    "created": "id",
}

NUMERIC = ("top1", "map")
DRAWN = ("top1", "map_voc2007", "num_videos")


@dataclass(frozen=True)
class Column:
    """A head of the table: `order` is what a click on it asks for, `direction` how the table is sorted by it now."""

    title: Any
    order: str
    direction: Literal["ascending", "descending", ""]
    is_numeric: bool


def columns(order: str) -> list[Column]:
    """The heads; a click on the one that sorts turns its direction."""
    return [
        Column(title, f"-{name}" if order == name else name, _direction(name, order), name in NUMERIC) for name, title in TITLES.items()
    ]


def _direction(name: str, order: str) -> Literal["ascending", "descending", ""]:
    return "ascending" if order == name else "descending" if order == f"-{name}" else ""


def with_test_result(runs: QuerySet[Run], dataset: Dataset | None = None) -> QuerySet[Run]:
    """Each run with its newest finished test evaluation: id, `top1`, `map_voc2007` (0…1), `num_videos` and protocol; None without one.

    Args:
        dataset: on which it is tested; None means the run's own.
    """
    own = Q(other_split=None)
    here = Q(own, run__dataset=dataset) | Q(other_split__dataset=dataset) if dataset else own
    tests = Evaluation.objects.filter(here, run=OuterRef("pk"), subset="test", job__state=Job.State.DONE).order_by("-id")
    numbers = {metric: tests.annotate(value=Cast(KeyTextTransform(metric, "metrics"), FloatField())) for metric in DRAWN}
    return runs.prefetch_related(f"job__{AHEAD}").annotate(
        test_evaluation=Subquery(tests.values("pk")[:1]),
        **{metric: Subquery(found.values("value")[:1]) for metric, found in numbers.items()},
        test_protocol=Subquery(tests.values("protocol")[:1], output_field=JSONField()),
    )


def filtered(
    runs: QuerySet[Run],
    *,
    search: str = "",
    dataset: int | None = None,
    modality: str = "",
    state: str = "",
    archived: bool = False,
    study: str = "",
    order: str = "-created",
) -> QuerySet[Run]:
    """The runs that fit; `order` is a key of ORDERS, with `-` for descending, and anything else means newest first.

    Args:
        study: whose members, by its number; `all`: of any and none; else those that stand alone.
    """
    runs = of_study(runs, study).filter(is_archived=archived)
    if search:
        runs = runs.filter(name__icontains=search)
    if dataset is not None:
        runs = runs.filter(dataset_id=dataset)
    if modality:
        runs = runs.filter(config__data__input__modality=modality)
    if state:
        runs = runs.filter(job__state=state)
    column = ORDERS.get(order.removeprefix("-"), "id")
    sign = "-" if order.startswith("-") or order.removeprefix("-") not in ORDERS else ""
    return runs.order_by(f"{sign}{column}", "-id")
