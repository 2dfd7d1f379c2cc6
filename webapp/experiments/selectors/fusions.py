"""Reading fusions: their streams, and on which videos each of them is right."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from webapp.choices import MODALITIES
from webapp.datasets.models import Split
from webapp.datasets.selectors import AnyUser, editable_datasets
from webapp.experiments.models import Evaluation, Fusion, FusionMember, Run
from webapp.experiments.results import Results
from webapp.experiments.selectors.access import visible_fusions
from webapp.experiments.selectors.results import headline, outcome_on_same_video
from webapp.jobs.models import Job
from webapp.jobs.waiting import AHEAD


@dataclass(frozen=True)
class Place:
    """Where streams can be fused: a split and a subset with scores of `count` runs."""

    split_id: int
    dataset: str
    split: str
    subset: str
    count: int

    @property
    def key(self) -> str:
        return f"{self.split_id}:{self.subset}"


def fusable_evaluations(user: AnyUser) -> QuerySet[Evaluation]:
    """Finished evaluations of runs, in the order in which weights are given.

    Of a run that learnt several datasets, each of its heads is a stream. The user may change the run's own dataset and the one it scores.
    """
    editable = editable_datasets(user).order_by().values("pk")
    head = Q(other_split=None) | Q(other_split__dataset__in=editable)
    done = Evaluation.objects.filter(head, run__dataset__in=editable, job__state=Job.State.DONE).exclude(metrics={})
    related = ("run__dataset", "run__split", "other_split__dataset", "job")
    return done.select_related(*related).order_by("pk")


def fusable_at(user: AnyUser, place: Place) -> QuerySet[Evaluation]:
    """Those that score the place's videos."""
    scored = Q(other_split=place.split_id) | Q(other_split=None, run__split=place.split_id)
    return fusable_evaluations(user).filter(scored, subset=place.subset)


def fusable_places(user: AnyUser) -> list[Place]:
    """Every split and subset with two finished evaluations or more, the newest first."""
    scored = fusable_evaluations(user).order_by().annotate(place=Coalesce("other_split", "run__split"))
    groups = scored.values_list("place", "subset").annotate(count=Count("pk")).filter(count__gte=2)
    found = list(groups.order_by("-place", "subset"))
    splits = Split.objects.select_related("dataset").in_bulk([pk for pk, _subset, _count in found])
    return [Place(pk, splits[pk].dataset.name, splits[pk].name, subset, count) for pk, subset, count in found]


def fusions_with_result(user: AnyUser) -> QuerySet[Fusion]:
    """Newest first, with streams, job, `top1` (0…1) and `described`, drawn out of the metrics, which stay in the database."""
    streams = Prefetch("memberships", FusionMember.objects.select_related("evaluation__run").defer("evaluation__metrics"))
    drawn = headline("evaluation__metrics")
    fusions = visible_fusions(user).select_related("evaluation__job").defer("evaluation__metrics")
    return fusions.prefetch_related(streams, f"evaluation__job__{AHEAD}").annotate(**drawn)


@dataclass(frozen=True)
class Stream:
    """A member of a fusion. `short` is its modality, or its name where two streams share one; `weight` 0…1, None where an SVM decides."""

    evaluation: Evaluation
    run: Run
    short: str
    weight: float | None
    results: Results | None


@dataclass(frozen=True)
class Agreement:
    """Videos on which exactly these streams are right, in all and class by class; `fused` of them are right after fusion."""

    right: tuple[bool, ...]
    count: int
    fused: int
    share: float
    by_class: dict[int, int]

    @property
    def fused_share(self) -> float | None:
        return self.fused / self.count if self.count else None


def streams_of(fusion: Fusion) -> list[Stream]:
    """The members in order."""
    members = fusion.memberships.select_related("evaluation__run__dataset", "evaluation__job")
    evaluations = [member.evaluation for member in members]
    runs = [evaluation.run for evaluation in evaluations if evaluation.run is not None]
    modalities = Counter(run.modality for run in runs)
    weights = _weights(fusion, len(runs))
    return [
        Stream(
            evaluation=evaluation,
            run=run,
            short=str(MODALITIES[run.modality]) if modalities[run.modality] == 1 else run.name,
            weight=weight,
            results=Results.of(evaluation.metrics) if evaluation.metrics else None,
        )
        for evaluation, run, weight in zip(evaluations, runs, weights, strict=True)
    ]


def fits_of(fusion: Fusion) -> list[Evaluation]:
    """What its SVM is fitted on, fold by fold, stream by stream; nothing for other methods."""
    fits = fusion.fits.select_related("evaluation__run", "evaluation__job").defer("evaluation__metrics")
    return [fit.evaluation for fit in fits]


def _weights(fusion: Fusion, num_streams: int) -> Sequence[float | None]:
    """Shares that add up to 1."""
    config = fusion.fusion
    if config.method == "svm":
        return [None] * num_streams
    weights = config.weights if config.method == "weighted" else (1.0,) * num_streams
    return [weight / sum(weights) for weight in weights]


def agreements(fused: Evaluation, streams: Sequence[Evaluation]) -> list[Agreement]:
    """Every pattern of right and wrong streams that occurs, most streams right first; one grouped query whatever the number of videos."""
    names = [f"stream_{position}" for position in range(len(streams))]
    is_right = {name: outcome_on_same_video(stream.pk, True) for name, stream in zip(names, streams, strict=True)}
    groups = fused.video_scores.annotate(**is_right).values_list(*names, "label_index", "is_correct").annotate(n=Count("pk")).order_by()
    by_class: defaultdict[tuple[bool, ...], Counter[int]] = defaultdict(Counter)
    fused_right: Counter[tuple[bool, ...]] = Counter()
    for *right, label, is_correct, count in groups:
        by_class[tuple(right)][label] += count
        fused_right[tuple(right)] += count * is_correct
    total = sum(counts.total() for counts in by_class.values())
    patterns = sorted(by_class, key=lambda right: (-sum(right), [not one for one in right]))
    return [
        Agreement(right, by_class[right].total(), fused_right[right], by_class[right].total() / total, dict(by_class[right]))
        for right in patterns
    ]
