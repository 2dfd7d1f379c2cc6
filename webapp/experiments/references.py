"""What a stored config names by its number: the further datasets that a run learns, and the run whose weights it starts from."""

from collections.abc import Iterable
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ml.config.data import OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.errors import UserError
from webapp.datasets.models import Split
from webapp.experiments.models import Run


class Gone(UserError):
    """A dataset or run that a config names and that was deleted."""


def reference_to(split: Split) -> OtherDataset:
    return OtherDataset(dataset=str(split.dataset_id), split=split.name)


def on_split(config: ExperimentConfig, split: Split) -> ExperimentConfig:
    """As a run's row keeps it: its dataset is that of the row."""
    data = config.data.replace(dataset="", split=split.name)
    return config.replace(data=data.replace(also=data.others))


def other_splits(config: ExperimentConfig) -> list[Split]:
    """The splits of the further datasets, in the config's order.

    Raises:
        Gone: one was deleted.
    """
    return [_split(other) for other in config.data.others]


def other_splits_that_are(config: ExperimentConfig) -> QuerySet[Split]:
    """The splits of the further datasets that were not deleted."""
    asked = (Q(dataset=_number(other.dataset), name=other.split) for other in config.data.others)
    return Split.objects.filter(reduce(or_, asked, Q(pk__in=()))).select_related("dataset")


def splits_of(run: Run) -> list[Split]:
    """The run's own split, then those of its further datasets.

    Raises:
        Gone: one was deleted.
    """
    return [run.split, *other_splits(run.experiment)]


def datasets_of(run: Run) -> set[int]:
    """Ids of all datasets that it has learnt, those of the run that it started from among them."""
    config = run.experiment
    start = initial_run(config)
    return {run.dataset_id, *(_number(other.dataset) for other in config.data.also), *(datasets_of(start) if start else ())}


def split_names(other: OtherDataset) -> set[str]:
    """Of all splits of the dataset."""
    return set(Split.objects.filter(dataset=_number(other.dataset)).values_list("name", flat=True))


def further_splits(runs: Iterable[Run]) -> dict[int, list[Split]]:
    """By the id of the run, the splits of its further datasets that were not deleted; one query for all of them."""
    asked = {run.pk: [(_number(other["dataset"]), other["split"]) for other in run.config["data"].get("also", ())] for run in runs}
    datasets = {dataset for places in asked.values() for dataset, _name in places}
    splits = {(split.dataset_id, split.name): split for split in Split.objects.filter(dataset__in=datasets).select_related("dataset")}
    return {pk: [splits[place] for place in places if place in splits] for pk, places in asked.items()}


def _split(other: OtherDataset) -> Split:
    split = Split.objects.select_related("dataset").filter(dataset=_number(other.dataset), name=other.split).first()
    if split is None:
        gone = {"dataset": other.dataset, "split": other.split}
        raise Gone(_("Dataset no. %(dataset)s with split “%(split)s” was deleted.") % gone, _("Start a run without it."))
    return split


def initial_run(config: ExperimentConfig) -> Run | None:
    """The run to start from, where there is one.

    Raises:
        Gone: it was deleted.
    """
    if not config.training.init_run:
        return None
    run = Run.objects.select_related("job").filter(pk=_number(config.training.init_run)).first()
    if run is None:
        raise Gone(_("Run no. %(run)s was deleted.") % {"run": config.training.init_run}, _("Start from another run."))
    return run


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
