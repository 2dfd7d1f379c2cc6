"""Reading runs side by side: their numbers, and which videos changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from webapp.experiments.mcnemar import mcnemar_exact
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.results import Results
from webapp.experiments.selectors.results import outcome_on_same_video
from webapp.jobs.models import Job


@dataclass(frozen=True)
class Compared:
    """A run with its newest finished test evaluation, if it has one."""

    run: Run
    evaluation: Evaluation | None
    results: Results | None


@dataclass(frozen=True)
class Change:
    """The videos both evaluations scored: `gained` were wrong before and are right after, `lost` the other way round."""

    videos: int
    gained: int
    lost: int

    @property
    def p_value(self) -> float:
        return mcnemar_exact(self.gained, self.lost)


def compared(runs: Sequence[Run]) -> list[Compared]:
    """The runs in the given order; one query for all evaluations."""
    tests = Evaluation.objects.filter(run__in=runs, other_split=None, subset="test", job__state=Job.State.DONE)
    tests = tests.exclude(metrics={}).order_by("pk")
    newest = {evaluation.run_id: evaluation for evaluation in tests}
    found = ((run, newest.get(run.pk)) for run in runs)
    return [Compared(run, evaluation, Results.of(evaluation.metrics) if evaluation else None) for run, evaluation in found]


def change(before: Evaluation, after: Evaluation) -> Change:
    """What became of the videos from one evaluation to the other; counted in the database."""
    known = {"was_right": outcome_on_same_video(before.pk, True), "was_wrong": outcome_on_same_video(before.pk, False)}
    scores: Any = after.video_scores.annotate(**known)
    groups = scores.values_list("was_right", "was_wrong", "is_correct").annotate(n=Count("pk")).order_by()
    counts = {(was_right, is_right): n for was_right, was_wrong, is_right, n in groups if was_right or was_wrong}
    return Change(videos=sum(counts.values()), gained=counts.get((False, True), 0), lost=counts.get((True, False), 0))
