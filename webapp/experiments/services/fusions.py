"""Starting a fusion: rows and a job from streams that fit each other."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.evaluation import FusionConfig
from ml.errors import UserError
from webapp.experiments.models import Evaluation, Fusion, FusionMember, Run
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit


class UnfitStreams(UserError):
    """Evaluations that cannot be fused as asked."""


@transaction.atomic
def create_fusion(user: User, evaluations: Sequence[Evaluation], config: FusionConfig, name: str, after: Iterable[Job] = ()) -> Fusion:
    """Fusion, its members in the given order, its evaluation and the job that computes it.

    The job waits for every evaluation that is not done yet, and for the jobs in `after`.

    Raises:
        UnfitStreams: fewer than two, a fusion among them, other splits or subsets, or weights that do not fit.
    """
    runs = _checked_runs(evaluations)
    _check_weights(config, len(runs))
    first = evaluations[0]
    fusion = Fusion.objects.create(
        name=name, owner=user, dataset=runs[0].dataset, split=runs[0].split, subset=first.subset, config=config.model_dump(mode="json")
    )
    FusionMember.objects.bulk_create(FusionMember(fusion=fusion, evaluation=e, position=i) for i, e in enumerate(evaluations))
    job = open_job(Job.Kind.FUSE, name, user, fusion.dataset)
    evaluation = Evaluation.objects.create(fusion=fusion, subset=first.subset, protocol=first.protocol, job=job)
    pending = [e.job for e in evaluations if e.job.state != Job.State.DONE]
    submit(job, evaluation.pk, after=[*pending, *after])
    return fusion


def _checked_runs(evaluations: Sequence[Evaluation]) -> list[Run]:
    """The run of each evaluation, once they are known to be streams of the same videos."""
    if len(evaluations) < 2:
        raise UnfitStreams(_("A fusion needs at least two streams."), _("Choose the evaluations of two runs or more."))
    runs = [evaluation.run for evaluation in evaluations if evaluation.run is not None]
    if len(runs) != len(evaluations):
        raise UnfitStreams(_("One of the streams is a fusion already."), _("Fuse the runs themselves; weights say how much each counts."))
    if len({evaluation.pk for evaluation in evaluations}) != len(evaluations):
        raise UnfitStreams(_("One stream was chosen twice."), _("Choose each evaluation once."))
    if len({(run.dataset_id, run.split_id) for run in runs}) > 1:
        raise UnfitStreams(_("These runs belong to different datasets or splits."), _("Fuse runs of one dataset and split."))
    if len({evaluation.subset for evaluation in evaluations}) > 1:
        raise UnfitStreams(_("These evaluations scored different subsets."), _("Evaluate each run on the same subset first."))
    return runs


def _check_weights(config: FusionConfig, num_streams: int) -> None:
    """One weight of zero or more a stream, in a weighted sum."""
    if config.method != "weighted":
        return
    if len(config.weights) != num_streams:
        found = {"weights": len(config.weights), "streams": num_streams}
        raise UnfitStreams(
            _("%(weights)d weights for %(streams)d streams.") % found, _("Give one weight a stream, in their order, e.g. 1, 1.5.")
        )
    if min(config.weights) < 0 or sum(config.weights) == 0:
        raise UnfitStreams(_("These weights can't be used."), _("Give weights of zero or more, at least one above zero."))
