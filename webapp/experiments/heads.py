"""Heads: a run that learnt several datasets, seen from one of them; any other run, or a fusion, from its own."""

from typing import NamedTuple

from ml.config.experiment import ExperimentConfig
from webapp.datasets.models import Dataset, Split
from webapp.experiments.models import Fusion, Run
from webapp.experiments.references import other_splits_that_are, reference_to


class Head(NamedTuple):
    """A run or a fusion, and the split of the further dataset that is meant where it is not its own."""

    source: Run | Fusion
    other_split: Split | None = None

    @property
    def run(self) -> Run:
        """The source, where it is known to be no fusion."""
        assert isinstance(self.source, Run)  # noqa: S101 - whoever asks looked, or has it from a stream
        return self.source

    @property
    def dataset(self) -> Dataset:
        return self.other_split.dataset if self.other_split else self.source.dataset

    @property
    def key(self) -> str:
        """How forms and addresses name it: `fusion-2`, `run-3`, `run-3-on-7` of split no. 7."""
        key = f"{type(self.source).__name__.lower()}-{self.source.pk}"
        return f"{key}-on-{self.other_split.pk}" if self.other_split else key


def heads_of(fusion: Fusion) -> list[Head]:
    """Of its streams, in order."""
    related = ("evaluation__run__dataset", "evaluation__run__split", "evaluation__other_split__dataset")
    tests = [member.evaluation for member in fusion.memberships.select_related(*related)]
    return [Head(test.run, test.other_split) for test in tests if test.run is not None]


def head_on(run: Run, dataset: Dataset) -> Head | None:
    """The run's head of this dataset; None where it did not learn it."""
    if run.dataset_id == dataset.pk:
        return Head(run)
    return next((Head(run, split) for split in other_splits_that_are(run.experiment) if split.dataset_id == dataset.pk), None)


def seen_from(head: Head) -> ExperimentConfig:
    """The run's config as if the head's dataset were its own, and its own a further one: multi-task learning makes no difference."""
    run, here, config = head.run, head.other_split, head.run.experiment
    if here is None:
        return config
    also = [reference_to(split) for split in (run.split, *other_splits_that_are(config)) if split != here]
    return config.replace(data=config.data.replace(split=here.name, also=also))
