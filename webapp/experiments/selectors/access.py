"""Reading runs, evaluations and fusions, filtered by who asks: whoever sees a dataset sees what grew from it."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from webapp.datasets.models import Split
from webapp.datasets.selectors import AnyUser, dataset_is_editable, dataset_is_visible, visible_datasets
from webapp.experiments.heads import Head
from webapp.experiments.models import Evaluation, Fusion, FusionMember, Run, Study
from webapp.experiments.references import further_splits


def visible_runs(user: AnyUser) -> QuerySet[Run]:
    return Run.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "split", "job").order_by("-id")


def editable_runs(user: AnyUser) -> QuerySet[Run]:
    """Runs the user may stop, test, change and delete: those on datasets the user may change."""
    return Run.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset", "split", "job").order_by("-id")


def may_change_run_of(user: AnyUser, evaluation: Evaluation) -> bool:
    """Whether it is of a run, and one that the user may change."""
    return editable_runs(user).filter(evaluations=evaluation).exists()


def visible_heads(user: AnyUser, runs: Iterable[Run]) -> list[Head]:
    """Each run once for every dataset that it learnt and the user sees, its own first."""
    runs, seen = list(runs), set(visible_datasets(user).values_list("pk", flat=True))
    further = further_splits(runs)
    others = {run.pk: [split for split in further[run.pk] if split.dataset_id in seen] for run in runs}
    return [head for run in runs for head in (Head(run), *(Head(run, split) for split in others[run.pk]))]


def trainable_splits(user: AnyUser) -> QuerySet[Split]:
    """Splits of the datasets the user may train on, newest dataset first."""
    return Split.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset").order_by("-dataset_id", "name")


def visible_fusions(user: AnyUser) -> QuerySet[Fusion]:
    """Only where the user sees the runs of all its streams, which may have learnt further datasets."""
    hidden = FusionMember.objects.exclude(evaluation__run__dataset__in=visible_datasets(user).values("pk"))
    seen = Fusion.objects.filter(dataset_is_visible(user, "dataset__")).exclude(pk__in=hidden.values("fusion"))
    return seen.select_related("dataset", "split").order_by("-id")


def editable_fusions(user: AnyUser) -> QuerySet[Fusion]:
    return visible_fusions(user).filter(dataset_is_editable(user, "dataset__"))


def visible_evaluations(user: AnyUser) -> QuerySet[Evaluation]:
    """Of a run that is tested on a further dataset, only where the user sees that one too; of a fusion, where it is visible."""
    rule = Q(run__dataset__in=visible_datasets(user).values("pk")) | Q(fusion__in=visible_fusions(user).order_by().values("pk"))
    other = Q(other_split=None) | Q(other_split__dataset__in=visible_datasets(user).values("pk"))
    return Evaluation.objects.filter(rule, other).select_related("run", "fusion", "job").order_by("-id")


def visible_studies(user: AnyUser) -> QuerySet[Study]:
    return Study.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "owner").order_by("-id")


def editable_studies(user: AnyUser) -> QuerySet[Study]:
    """Studies the user may stop and let grow: those on datasets the user may change."""
    return visible_studies(user).filter(dataset_is_editable(user, "dataset__"))
