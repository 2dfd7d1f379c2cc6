"""What the page of one run shows: its evaluations and its curves."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import FloatField, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from webapp.charts.curves import CurvePoint
from webapp.datasets.models import Split, SplitEntry
from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Evaluation, Run, RunPoint
from webapp.experiments.selectors.access import visible_evaluations
from webapp.jobs.models import Job
from webapp.jobs.waiting import AHEAD


def evaluations_of(run: Run, user: AnyUser) -> QuerySet[Evaluation]:
    """Newest first, with `top1`, `mean_class_accuracy` (0…1) and `num_videos` drawn out of the metrics, which stay in the database."""
    drawn = ("top1", "mean_class_accuracy", "num_videos")
    numbers = {name: Cast(KeyTextTransform(name, "metrics"), FloatField()) for name in drawn}
    seen = visible_evaluations(user).filter(run=run).select_related("job", "run__dataset", "run__split", "other_split__dataset")
    return seen.defer("metrics").prefetch_related(f"job__{AHEAD}").annotate(**numbers)


def has_open_jobs(run: Run, evaluations: list[Evaluation]) -> bool:
    """Whether anything on the run's page may still change."""
    return run.job.is_open or any(evaluation.job.is_open for evaluation in evaluations)


def busy_job(run: Run, evaluations: list[Evaluation]) -> Job | None:
    """What keeps the run from being deleted: a job that only waits does not."""
    jobs = (run.job, *(evaluation.job for evaluation in evaluations))
    return next((job for job in jobs if job.is_open and job.state != Job.State.WAITING), None)


def saw_changes(runs: Iterable[Run]) -> bool:
    """Whether a dataset was not the same (its videos, their classes, the splits) when each of these that learnt it began."""
    seen = {(run.dataset_id, snapshot) for run in runs if (snapshot := run.facts.get("snapshot"))}
    return len(seen) > len({dataset for dataset, _snapshot in seen})


def holds_out(run: Run, split: Split) -> bool:
    """Whether there are validation videos of the split, the run's own or a further dataset's: it brings some, or the run held some out."""
    data = run.experiment.data
    is_asked = bool(data.held_out_fold or data.validation_fraction)
    found_some = run.facts.get("validation_videos", 1) > 0  # before it is trained, nobody knows better
    return (is_asked and found_some) or split.entries.filter(subset=SplitEntry.Subset.VALIDATION).exists()


def subsets_of(run: Run, split: Split) -> set[str]:
    """The subsets of the split in which the run finds videos."""
    found = set(split.entries.values_list("subset", flat=True).distinct())
    return found | {SplitEntry.Subset.VALIDATION.value} if holds_out(run, split) else found


def filters_of(run: Run) -> dict[str, Any]:
    """What the picture of the first layer shows (`ml.evaluation.filters`); nothing before the training is over."""
    path = run.folder / "filters.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def curve_points(run: Run) -> list[CurvePoint]:
    rows = run.points.order_by("step", "is_epoch_end").values_list("step", "epoch", "is_epoch_end", "train", "validation")
    return [CurvePoint(*row) for row in rows]


def steps_per_epoch(run: Run) -> float:
    """From the job's progress, which counts steps; 0 before it is known."""
    return run.job.progress_total / run.experiment.training.epochs


def epoch_ends(runs: Iterable[Run]) -> dict[int, list[CurvePoint]]:
    """The curves of several runs by their ids, without what lies within epochs; one query."""
    rows = RunPoint.objects.filter(run__in=runs, is_epoch_end=True).order_by("step")
    found: defaultdict[int, list[CurvePoint]] = defaultdict(list)
    for run_id, *point in rows.values_list("run_id", "step", "epoch", "is_epoch_end", "train", "validation"):
        found[run_id].append(CurvePoint(*point))
    return found
