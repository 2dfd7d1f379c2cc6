"""Studies as one line each: in lists, what they launched stands under them."""

from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet

from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Fusion, Run, Study
from webapp.experiments.selectors.access import visible_studies
from webapp.jobs.models import Job

Member = TypeVar("Member", Run, Fusion)

ALL = "all"
"""In an address, in the place of a study's number: nothing is folded."""


def stand_alone(rows: QuerySet[Member]) -> QuerySet[Member]:
    """Without what a study launched."""
    return rows.exclude(_is_launched(rows.model))


def parted(rows: QuerySet[Member]) -> tuple[list[Member], list[Member]]:
    """Those that stand alone, and those that a study launched; one query."""
    marked: list[Any] = list(rows.annotate(is_launched=ExpressionWrapper(_is_launched(rows.model), BooleanField())))
    return [row for row in marked if not row.is_launched], [row for row in marked if row.is_launched]


def _is_launched(kind: type[Run | Fusion]) -> Q:
    """What a study took over is older than it, and stays where it was."""
    return _stands_in(kind, Study.objects.filter(created_at__lte=OuterRef("created_at")))


def of_study(rows: QuerySet[Member], study: str) -> QuerySet[Member]:
    """The members of the study with this number, all rows, or else those that stand alone."""
    if study == ALL:
        return rows
    return rows.filter(_stands_in(rows.model, Study.objects.filter(pk=int(study)))) if study.isdecimal() else stand_alone(rows)


def _stands_in(kind: type[Run | Fusion], studies: QuerySet[Study]) -> Q:
    """In one of these studies; also as a run without a fold that the SVM of its fusion is fitted on."""
    ways = ["fusions"] if kind is Fusion else ["runs", "fusions__fits__evaluation__run"]
    return reduce(or_, (Q(Exists(studies.filter(**{way: OuterRef("pk")}))) for way in ways))


def folded(user: AnyUser, rows: QuerySet[Member]) -> QuerySet[Study]:
    """The studies that have some of these rows, newest first; `num_found` of them, `num_done` of those done."""
    name, job = ("runs", "runs__job") if rows.model is Run else ("fusions", "fusions__evaluation__job")
    found = Q(**{f"{name}__in": rows.order_by().values("pk")})
    done = found & Q(**{f"{job}__state": Job.State.DONE})
    studies: Any = visible_studies(user).annotate(num_found=_count(name, found), num_done=_count(name, done))
    return studies.filter(num_found__gt=0)  # type: ignore[no-any-return]


def _count(name: str, condition: Q) -> Count:
    return Count(name, filter=condition, distinct=True)
