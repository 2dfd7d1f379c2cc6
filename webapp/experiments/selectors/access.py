"""Reading runs, evaluations and fusions, filtered by who asks: whoever sees a dataset sees what grew from it."""

from django.db.models import Q, QuerySet

from webapp.datasets.models import Split
from webapp.datasets.selectors import AnyUser, dataset_is_editable, dataset_is_visible, visible_datasets
from webapp.experiments.models import Evaluation, Fusion, Run, Study


def visible_runs(user: AnyUser) -> QuerySet[Run]:
    return Run.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "split", "job").order_by("-id")


def editable_runs(user: AnyUser) -> QuerySet[Run]:
    """Runs the user may stop, test, change and delete: those on datasets the user may change."""
    return Run.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset", "split", "job").order_by("-id")


def trainable_splits(user: AnyUser) -> QuerySet[Split]:
    """Splits of the datasets the user may train on, newest dataset first."""
    return Split.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset").order_by("-dataset_id", "name")


def visible_fusions(user: AnyUser) -> QuerySet[Fusion]:
    return Fusion.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "split").order_by("-id")


def editable_fusions(user: AnyUser) -> QuerySet[Fusion]:
    return visible_fusions(user).filter(dataset_is_editable(user, "dataset__"))


def visible_evaluations(user: AnyUser) -> QuerySet[Evaluation]:
    """Of a run that is tested on a further dataset, only where the user sees that one too."""
    rule = dataset_is_visible(user, "run__dataset__") | dataset_is_visible(user, "fusion__dataset__")
    other = Q(other_split=None) | Q(other_split__dataset__in=visible_datasets(user).values("pk"))
    return Evaluation.objects.filter(rule, other).select_related("run", "fusion", "job").order_by("-id")


def visible_studies(user: AnyUser) -> QuerySet[Study]:
    return Study.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "owner").order_by("-id")


def editable_studies(user: AnyUser) -> QuerySet[Study]:
    """Studies the user may stop and let grow: those on datasets the user may change."""
    return visible_studies(user).filter(dataset_is_editable(user, "dataset__"))
