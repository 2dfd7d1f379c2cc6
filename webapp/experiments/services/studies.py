"""Studies: the runs and fusions of a grid are launched, stopped and gone on with; grids grow."""

from collections.abc import Callable, Iterable
from contextlib import suppress

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import JsonValue

from ml.config.data import OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.config.study import SPLIT, StudyConfig, Trial, Values, configs_of
from ml.errors import UserError
from webapp.datasets.models import Dataset, Split
from webapp.experiments.fitting import svm_findings
from webapp.experiments.heads import Head, head_on
from webapp.experiments.models import Evaluation, Run, Study
from webapp.experiments.preflight import Finding, preflight
from webapp.experiments.references import split_names
from webapp.experiments.selectors.access import editable_runs
from webapp.experiments.selectors.studies import Point, Source, jobs_of, place_in, points, sources
from webapp.experiments.services.fusions import create_fusion
from webapp.experiments.services.launch import launch_run, request_evaluation
from webapp.experiments.studies.words import settings_words
from webapp.jobs.models import Job
from webapp.jobs.services import JobMoved, request_stop, restart

MOST_RUNS = 240


class UnfitStudy(UserError):
    """A grid that cannot be trained on the dataset."""


@transaction.atomic
def launch_study(user: User, split: Split, grid: StudyConfig, name: str, adopted: Iterable[Run] = ()) -> Study:
    """The study with all its runs and fusions; where the grid has no axis of splits, they are on this one.

    Args:
        adopted: runs that may stand in the grid already; those whose config is not in it, or that the user may not change, are left alone.

    Raises:
        UnfitStudy, UnfitRun, UnfitStreams, NothingHeldOut: as their names say.
    """
    grid = placed(grid, split)
    _check_size(grid)
    study = Study.objects.create(name=name, owner=user, dataset=split.dataset, config=grid.model_dump(mode="json"))
    study.runs.set(_fitting(user, study.dataset, grid, adopted))
    launch_missing(study, user)
    return study


def _fitting(user: User, dataset: Dataset, grid: StudyConfig, runs: Iterable[Run]) -> list[Run]:
    """Those that stand in the grid already."""
    wanted = configs_of(grid)
    own = editable_runs(user).filter(pk__in=[run.pk for run in runs])
    return [run for run in own if place_in(dataset, run) in wanted]


@transaction.atomic
def add_values(study: Study, field: str, values: Iterable[JsonValue], user: User) -> None:
    """Let an axis grow, or begin one, and launch what that adds.

    Raises:
        UnfitStudy, UnfitRun, UnfitStreams, NothingHeldOut: as their names say.
    """
    grid = _together(study.grid.extended(field, values))
    _check_size(grid)
    study.config = grid.model_dump(mode="json")
    study.save(update_fields=["config"])
    launch_missing(study, user)


def placed(grid: StudyConfig, split: Split) -> StudyConfig:
    """On this split, where no axis has others."""
    here = {"dataset": "", "split": split.name}
    return _together(grid.replace(streams=[stream.replace(data=stream.data.replace(**here)) for stream in grid.streams]))


def _together(grid: StudyConfig) -> StudyConfig:
    """From split to split, a further dataset on the split of the same name goes along if it has all of them, and else stays."""
    axis = grid.axis(SPLIT)
    return grid.replace(streams=[_going_along(stream, axis.values) for stream in grid.streams]) if axis else grid


def _going_along(stream: ExperimentConfig, splits: Iterable[JsonValue]) -> ExperimentConfig:
    also = [_along(other, stream.data.split, splits) for other in stream.data.also]
    return stream.replace(data=stream.data.replace(also=also))


def _along(other: OtherDataset, own_split: str, splits: Iterable[JsonValue]) -> OtherDataset:
    goes_along = other.split == own_split and split_names(other).issuperset(splits)
    return other.replace(split="") if goes_along else other


def foreseen(user: User, split: Split, grid: StudyConfig, adopted: Iterable[Run] = ()) -> list[Finding]:
    """How many runs there would be, and what the preflights of all of them say, each thing once; `adopted` as in `launch_study`."""
    grid = placed(grid, split)
    configs = configs_of(grid).values()
    splits = {one.name: one for one in split.dataset.splits.select_related("dataset")}
    found = (finding for config in configs if config.data.split in splits for finding in preflight(splits[config.data.split], config))
    num_there = len(_fitting(user, split.dataset, grid, adopted))
    return [*_sizes(len(configs) - num_there, num_there), *dict.fromkeys((*svm_findings(grid.fusions, len(grid.streams)), *found))]


def _sizes(num_new: int, num_there: int) -> list[Finding]:
    new = ngettext("%d run would be trained and tested.", "%d runs would be trained and tested.", num_new) % num_new
    there = ngettext("%d run of the grid is there already.", "%d runs of the grid are there already.", num_there) % num_there
    return [Finding("note", new), *([Finding("note", there)] if num_there else [])]


def _check_size(grid: StudyConfig) -> None:
    size = len(configs_of(grid))
    if size > MOST_RUNS:
        found = {"size": size, "most": MOST_RUNS}
        raise UnfitStudy(_("This grid has %(size)d runs; a study may have %(most)d.") % found, _("Take fewer values, splits or seeds."))


@transaction.atomic
def launch_missing(study: Study, user: User) -> None:
    """Launch what the grid has and the study lacks."""
    launched: dict[str, Run] = {}
    for point in points(study):
        for source, config, member in zip(sources(study.grid), point.trial.streams, point.members, strict=False):
            if member is None and config.spec_id() not in launched:
                launched[config.spec_id()] = _launch(study, source, point.trial, user)
    for point in points(study) if study.grid.fusions else ():
        _fuse(study, point, user)


def _launch(study: Study, source: Source, trial: Trial, user: User) -> Run:
    config = trial.streams[source.place]
    split = study.dataset.splits.filter(name=config.data.split).first()
    if split is None:
        found = {"dataset": study.dataset, "split": config.data.split}
        raise UnfitStudy(_("“%(dataset)s” has no split “%(split)s”.") % found, _("Choose splits of this dataset."))
    run = launch_run(user, study.dataset, split, config, _name(study, source, trial.values_of(source.place)))
    study.runs.add(run)
    return run


def _fuse(study: Study, point: Point, user: User) -> None:
    """The fusions that this point lacks; each waits for the tests of its streams."""
    for source, member in zip(sources(study.grid), point.members, strict=True):
        if source.fusion is not None and member is None:
            runs = [run for run in point.members if isinstance(run, Run)]
            tests = [_test(head, user) for run in runs if (head := head_on(run, study.dataset))]
            study.fusions.add(create_fusion(user, tests, source.fusion, _name(study, source, point.trial.values)))


def _test(head: Head, user: User) -> Evaluation:
    return request_evaluation(head.run, "test", head.run.experiment.evaluation, user, head.other_split)


def _name(study: Study, source: Source, values: Values) -> str:
    """`my study · Optical flow · Stack length L 5, Split 1`"""
    parts = (study.name, source.name if len(sources(study.grid)) > 1 else "", settings_words(study.grid, values))
    return " · ".join(filter(None, parts))[:120]


def stop_study(study: Study) -> None:
    """Stop every training that is not over, with its checkpoint."""
    _each(request_stop, jobs_of(study).filter(kind=Job.Kind.TRAIN, state__in=Job.OPEN))


@transaction.atomic
def resume_study(study: Study, user: User) -> None:
    """Go on with what was stopped, try again what failed, launch what is missing."""
    for kind in (Job.Kind.TRAIN, Job.Kind.EVALUATE, Job.Kind.FUSE):  # each recalls what failed for want of it
        _each(restart, jobs_of(study).filter(kind=kind, state__in=Job.RESTARTABLE))
    launch_missing(study, user)


def _each(act: Callable[[Job], None], jobs: Iterable[Job]) -> None:
    """Those that have moved on by themselves are left alone."""
    for job in jobs:
        with suppress(JobMoved):
            act(job)


def dissolve_study(study: Study) -> None:
    """Forget the grid; its runs and fusions stay."""
    study.delete()
