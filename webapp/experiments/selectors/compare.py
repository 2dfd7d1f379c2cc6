"""Reading runs and fusions side by side: their numbers, and which videos changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from webapp.experiments.mcnemar import mcnemar_exact
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.results import Results
from webapp.experiments.selectors.results import outcome_on_same_video
from webapp.jobs.models import Job


@dataclass(frozen=True)
class Compared:
    """A run or a fusion with its newest finished test evaluation, if it has one."""

    source: Run | Fusion
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


def compared(runs: Sequence[Run], fusions: Sequence[Fusion] = ()) -> list[Compared]:
    """The runs, then the fusions, in the given order; one query for all evaluations."""
    theirs = Q(run__in=runs, other_split=None) | Q(fusion__in=fusions)
    tests = Evaluation.objects.filter(theirs, subset="test", job__state=Job.State.DONE).exclude(metrics={}).select_related("run", "fusion")
    newest = {evaluation.source: evaluation for evaluation in tests.order_by("pk")}
    sources: list[Run | Fusion] = [*runs, *fusions]
    found = ((source, newest.get(source)) for source in sources)
    return [Compared(source, evaluation, Results.of(evaluation.metrics) if evaluation else None) for source, evaluation in found]


def change(before: Evaluation, after: Evaluation) -> Change:
    """What became of the videos from one evaluation to the other; counted in the database."""
    known = {"was_right": outcome_on_same_video(before.pk, True), "was_wrong": outcome_on_same_video(before.pk, False)}
    scores: Any = after.video_scores.annotate(**known)
    groups = scores.values_list("was_right", "was_wrong", "is_correct").annotate(n=Count("pk")).order_by()
    counts = {(was_right, is_right): n for was_right, was_wrong, is_right, n in groups if was_right or was_wrong}
    return Change(videos=sum(counts.values()), gained=counts.get((False, True), 0), lost=counts.get((True, False), 0))
