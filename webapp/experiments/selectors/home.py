"""What the home page shows of experiments: the newest results, each with its protocol."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import QuerySet

from webapp.choices import MODALITIES
from webapp.datasets.selectors import AnyUser
from webapp.experiments.gain import Alone, chance, in_a_sentence
from webapp.experiments.models import Evaluation, FusionMember, Run, Study
from webapp.experiments.selectors.access import visible_evaluations, visible_fusions, visible_runs
from webapp.experiments.selectors.folding import folded, stand_alone
from webapp.experiments.selectors.results import headline
from webapp.experiments.selectors.run_list import with_test_result
from webapp.jobs.models import Job


def latest_runs(user: AnyUser, count: int) -> QuerySet[Run]:
    """The newest runs that stand alone and are not archived, with their test result."""
    return with_test_result(stand_alone(visible_runs(user).filter(is_archived=False)))[:count]


def latest_studies(user: AnyUser, count: int) -> QuerySet[Study]:
    """The newest studies, with `num_found` runs and `num_done` of them trained."""
    return folded(user, visible_runs(user).filter(is_archived=False))[:count]


def latest_fusion_results(user: AnyUser, count: int) -> QuerySet[Evaluation]:
    """The newest finished evaluations of fusions that stand alone, with their `headline`; the large metrics stay in the database."""
    fusions = stand_alone(visible_fusions(user)).order_by().values("pk")
    done = visible_evaluations(user).filter(fusion__in=fusions, job__state=Job.State.DONE)
    return done.select_related("fusion__dataset", "fusion__split", "job").defer("metrics").annotate(**headline("metrics"))[:count]


@dataclass(frozen=True)
class Showpiece:
    """A fusion beside its streams, with what it says in words. Shares are 0…1, of `num_videos` videos."""

    evaluation: Evaluation
    streams: list[tuple[Alone, Run]]
    top1: float
    num_videos: int
    chance: float
    sentence: str


def showpiece(newest: Evaluation) -> Showpiece:
    """Of an evaluation of `latest_fusion_results`; one query more."""
    members = FusionMember.objects.filter(fusion=newest.fusion_id).select_related("evaluation__run").defer("evaluation__metrics")
    drawn = [(member.top1, member.evaluation.run) for member in members.annotate(**headline("evaluation__metrics"))]  # type: ignore[attr-defined]
    known = [(top1, run) for top1, run in drawn if run is not None and top1 is not None]
    kinds = Counter(run.modality for _top1, run in known)
    streams = [(Alone(str(MODALITIES[run.modality]) if kinds[run.modality] == 1 else run.name, top1), run) for top1, run in known]
    top1, num_videos, num_classes = newest.top1, newest.num_videos, newest.num_classes  # type: ignore[attr-defined]
    sentence = in_a_sentence([alone for alone, _run in streams], top1, num_classes, num_videos)
    return Showpiece(newest, streams, top1, num_videos, chance(num_classes), sentence)
