"""The table of runs: allow-listed filters and orders, and each run's newest test result with its protocol."""

from django.db.models import FloatField, JSONField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from webapp.experiments.models import Evaluation, Run
from webapp.jobs.models import Job

ORDERS = {
    "name": "name",
    "dataset": "dataset__name",
    "modality": "config__data__input__modality",
    "backbone": "config__model__backbone",
    "state": "job__state",
    "top1": "top1",
    "created": "id",
}


def with_test_result(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Each run with its newest finished test evaluation: `test_evaluation` (id), `top1` (0…1) and `test_protocol`; None without one."""
    tests = Evaluation.objects.filter(run=OuterRef("pk"), subset="test", job__state=Job.State.DONE).order_by("-id")
    top1 = tests.annotate(value=Cast(KeyTextTransform("top1", "metrics"), FloatField()))
    return runs.annotate(
        test_evaluation=Subquery(tests.values("pk")[:1]),
        top1=Subquery(top1.values("value")[:1]),
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
    order: str = "-created",
) -> QuerySet[Run]:
    """The runs that fit; `order` is a key of ORDERS, with `-` for descending, and anything else means newest first."""
    runs = runs.filter(is_archived=archived)
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
