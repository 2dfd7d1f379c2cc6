"""Starting a fusion: rows and a job from streams that fit each other."""

from collections.abc import Iterable, Sequence
from itertools import chain

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.errors import UserError
from webapp.datasets.models import Dataset, Split
from webapp.experiments.fitting import svm_findings
from webapp.experiments.models import Evaluation, Fusion, FusionFit, FusionMember, Run
from webapp.experiments.preflight import Finding
from webapp.experiments.selectors.results import relabelled_between
from webapp.experiments.services.fits import request_fits
from webapp.experiments.services.launch import launch_run, request_evaluation
from webapp.experiments.services.names import unused_name
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit
from webapp.punctuation import listed

NUM_NAMED = 5
"""How many of the videos that were relabelled a refusal names."""


class UnfitStreams(UserError):
    """Evaluations that cannot be fused as asked."""


class UnfitWeights(UnfitStreams):
    """Weights of another number of streams, or none above zero."""


@transaction.atomic
def create_fusion(user: User, evaluations: Sequence[Evaluation], config: FusionConfig, name: str, after: Iterable[Job] = ()) -> Fusion:
    """Fusion, its members in the given order, its evaluation and the job that computes it.

    The job waits for every evaluation that is not done yet, those that an SVM is fitted on among them, and for the jobs in `after`.

    Raises:
        UnfitStreams: fewer than two, a fusion among them, other splits, subsets or labels, weights that do not fit, or an SVM on
            training videos.
        NothingHeldOut, UnfitRun: there is nothing to fit the SVM on.
    """
    runs = _checked_runs(evaluations)
    check_weights(config, len(runs))
    _check_subset(config, evaluations[0].subset)
    first, fits = evaluations[0], request_fits(user, evaluations, config)
    name = unused_name(Fusion, first.dataset, name)
    fusion = Fusion.objects.create(
        name=name, owner=user, dataset=first.dataset, split=first.split, subset=first.subset, config=config.model_dump(mode="json")
    )
    FusionMember.objects.bulk_create(FusionMember(fusion=fusion, evaluation=e, position=i) for i, e in enumerate(evaluations))
    FusionFit.objects.bulk_create(
        FusionFit(fusion=fusion, evaluation=evaluation, stream=stream, fold=fold)
        for stream, of_stream in enumerate(fits)
        for fold, evaluation in enumerate(of_stream, start=1)
    )
    job = open_job(Job.Kind.FUSE, name, user, fusion.dataset)
    evaluation = Evaluation.objects.create(fusion=fusion, subset=first.subset, protocol=first.protocol, job=job)
    pending = [e.job for e in (*evaluations, *chain(*fits)) if e.job.state != Job.State.DONE]
    submit(job, evaluation.pk, after=[*pending, *after])
    return fusion


def foreseen(evaluations: Sequence[Evaluation], config: FusionConfig) -> list[Finding]:
    """What there is to say of such a fusion before it is started.

    Raises:
        UnfitStreams: as for `create_fusion`.
    """
    runs = _checked_runs(evaluations)
    check_weights(config, len(runs))
    _check_subset(config, evaluations[0].subset)
    return svm_findings([config], len(runs), runs) or [Finding("note", _("Nothing more has to be trained for it."))]


@transaction.atomic
def launch_two_stream(
    user: User,
    dataset: Dataset,
    split: Split,
    spatial_config: ExperimentConfig,
    temporal_config: ExperimentConfig,
    fusion_config: FusionConfig,
    name: str,
) -> Fusion:
    """Both streams, their test evaluations, and the fusion that waits for these.

    Raises:
        UnfitRun: one of the streams can't be trained.
        UnfitStreams, NothingHeldOut: the fusion's weights do not fit two streams, or there is nothing to fit its SVM on.
    """
    streams = ((spatial_config, _("%(name)s: spatial")), (temporal_config, _("%(name)s: temporal")))
    runs = [launch_run(user, dataset, split, config, (title % {"name": name})[:120]) for config, title in streams]
    tests = [request_evaluation(run, "test", run.experiment.evaluation, user) for run in runs]
    return create_fusion(user, tests, fusion_config, name)


def _checked_runs(evaluations: Sequence[Evaluation]) -> list[Run]:
    """The run of each evaluation, once they are known to be streams of the same videos."""
    if len(evaluations) < 2:
        raise UnfitStreams(_("A fusion needs at least two streams."), _("Choose the evaluations of two runs or more."))
    runs = [evaluation.run for evaluation in evaluations if evaluation.run is not None]
    if len(runs) != len(evaluations):
        raise UnfitStreams(_("One of the streams is a fusion already."), _("Fuse the runs themselves; weights say how much each counts."))
    if len({evaluation.pk for evaluation in evaluations}) != len(evaluations):
        raise UnfitStreams(_("One stream was chosen twice."), _("Choose each evaluation once."))
    if len({evaluation.split.pk for evaluation in evaluations}) > 1:
        raise UnfitStreams(_("These evaluations are of different datasets or splits."), _("Fuse evaluations on one dataset and split."))
    if len({evaluation.subset for evaluation in evaluations}) > 1:
        raise UnfitStreams(_("These evaluations scored different subsets."), _("Evaluate each run on the same subset first."))
    _check_labels(evaluations)
    return runs


def _check_labels(evaluations: Sequence[Evaluation]) -> None:
    """A video counts under one class, whichever stream scores it."""
    paths = relabelled_between(evaluations)
    if not paths:
        return
    named = listed([*paths[:NUM_NAMED], *(["…"] if len(paths) > NUM_NAMED else [])])
    text = ngettext(
        "%(count)d video was given another class between these tests: %(videos)s.",
        "%(count)d videos were given another class between these tests: %(videos)s.",
        len(paths),
    )
    raise UnfitStreams(
        text % {"count": len(paths), "videos": named},
        _("Clone the older run: its clone learns and tests the classes of today. Then fuse the clone."),
    )


def _check_subset(config: FusionConfig, subset: str) -> None:
    """An SVM does not score what it was fitted on."""
    if config.method == "svm" and subset != "test":
        raise UnfitStreams(
            _("An SVM is fitted on scores of training videos, and would score them here."), _("Fuse scores of test videos, or by average.")
        )


def check_weights(config: FusionConfig, num_streams: int) -> None:
    """One weight of zero or more a stream, in a weighted sum.

    Raises:
        UnfitWeights: not so.
    """
    if config.method != "weighted":
        return
    if len(config.weights) != num_streams:
        found = {"weights": len(config.weights), "streams": num_streams}
        text = ngettext("%(weights)d weight for %(streams)d streams.", "%(weights)d weights for %(streams)d streams.", len(config.weights))
        raise UnfitWeights(text % found, _("Give one weight a stream, in their order, e.g. 1, 1.5."))
    if min(config.weights) < 0 or sum(config.weights) == 0:
        raise UnfitWeights(_("These weights can't be used."), _("Give weights of zero or more, at least one above zero."))
