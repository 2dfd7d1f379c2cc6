"""Reading studies: which run and which fusion stands at which point of the grid, and whether anything still moves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.study import StudyConfig, Trial, Values, facts, fused_facts, trials
from webapp.choices import name_of
from webapp.datasets.models import Dataset
from webapp.experiments.heads import head_on, seen_from
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.jobs.models import Job
from webapp.protocols import method_words


@dataclass(frozen=True)
class Source:
    """What is evaluated at every point: a stream, or a fusion of all streams. `place` is its position among them."""

    place: int
    name: str
    fusion: FusionConfig | None = None

    def settings(self, trial: Trial) -> Values:
        """What it is compared for: not the fields of other streams."""
        own = trial.values if self.fusion else trial.values_of(self.place)
        return {field: value for field, value in own.items() if field in trial.settings}

    def facts(self, trial: Trial) -> Values:
        """What a published row may say of it."""
        if self.fusion is None:
            return facts(trial.streams[self.place])
        return fused_facts(trial.streams, self.fusion)

    def protocol(self, trial: Trial) -> str:
        """Of its test, as planned."""
        planned = self._planned(trial)
        return planned.evaluation.describe(planned.segments_tested)

    def short(self, trial: Trial) -> str:
        """The same by its short name."""
        return self._planned(trial).evaluation.short()

    def _planned(self, trial: Trial) -> ExperimentConfig:
        """Whose test it has: a fusion that of its first stream."""
        return trial.streams[0 if self.fusion else self.place]


def sources(grid: StudyConfig) -> list[Source]:
    """The streams, then the fusions; a number tells apart what has one name."""
    names = [str(name_of(config.data.input.modality)) for config in grid.streams]
    names += [_("Fusion: %(method)s") % {"method": method_words(config)} for config in grid.fusions]
    fusions = (*[None] * len(grid.streams), *grid.fusions)
    counts = Counter(names)
    numbered = (f"{name} {names[: place + 1].count(name)}" if counts[name] > 1 else name for place, name in enumerate(names))
    return [Source(place, name, fusion) for place, (name, fusion) in enumerate(zip(numbered, fusions, strict=True))]


@dataclass(frozen=True)
class Point:
    """A point of the grid with what was launched there: a run for each stream, then a fusion for each config; None where there is none."""

    trial: Trial
    members: tuple[Run | Fusion | None, ...]


def points(study: Study) -> list[Point]:
    """In the order of the grid. A run stands where its config is that of the trial; the newest, if there are several."""
    grid, members = study.grid, study.runs.select_related("dataset", "job", "split").order_by("pk")
    runs = {place: run for run in members if (place := place_in(study.dataset, run))}
    fusions = _fusions(study, runs.values()) if grid.fusions else {}
    return [_point(trial, grid, runs, fusions) for trial in trials(grid)]


def place_in(dataset: Dataset, run: Run) -> str:
    """The id of the config that the run has, seen from the dataset of a study; nothing where it did not learn it."""
    head = head_on(run, dataset)
    return seen_from(head).spec_id() if head else ""


def _point(trial: Trial, grid: StudyConfig, runs: dict[str, Run], fusions: dict[tuple[Any, ...], Fusion]) -> Point:
    streams = [runs.get(config.spec_id()) for config in trial.streams]
    ids = [run.pk if run else None for run in streams]
    return Point(trial, (*streams, *(fusions.get((config.spec_id(), *ids)) for config in grid.fusions)))


def _fusions(study: Study, runs: Iterable[Run]) -> dict[tuple[Any, ...], Fusion]:
    """(spec id of the config, ids of the runs in their order) → the fusion on the study's dataset."""
    found = fusions_among(runs).filter(dataset=study.dataset_id).prefetch_related("memberships__evaluation")
    return {(one.fusion.spec_id(), *(member.evaluation.run_id for member in one.memberships.all())): one for one in found}


def fusions_among(runs: Iterable[Run]) -> QuerySet[Fusion]:
    """Fusions that have one of the runs for a stream, the oldest first."""
    return Fusion.objects.filter(memberships__evaluation__run__in=list(runs)).distinct().order_by("pk")


def jobs_of(study: Study) -> QuerySet[Job]:
    """Trainings, tests and fusions, and what their SVMs are fitted on."""
    fusions = fusions_among(study.runs.all())
    runs = Run.objects.filter(Q(studies=study) | Q(evaluations__fusion_fits__fusion__in=fusions))
    tests = Evaluation.objects.filter(Q(run__in=runs) | Q(fusion__in=fusions))
    return Job.objects.filter(Q(pk__in=runs.values("job")) | Q(pk__in=tests.values("job")))


def still_stopping(study: Study) -> QuerySet[Job]:
    """What was asked to stop and is saving its checkpoint."""
    return jobs_of(study).filter(state=Job.State.RUNNING, stop_requested=True)


def is_live(study: Study) -> bool:
    """Whether anything may change by itself; a test that waits for a training that was stopped will not."""
    moving = Q(state__in=(Job.State.QUEUED, Job.State.RUNNING, Job.State.INTERRUPTED)) | Q(state=Job.State.WAITING, kind=Job.Kind.TRAIN)
    return jobs_of(study).filter(moving).exists()
