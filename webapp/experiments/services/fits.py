"""What the SVM of a fusion is fitted on: scores of the streams' own runs, or of runs that are trained without one fold each."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ml.config.data import Subset
from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.errors import UserError
from webapp.datasets.models import Split, SplitEntry, Video
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.references import datasets_of, initial_run, splits_of
from webapp.experiments.selectors.runs import holds_out
from webapp.experiments.services.launch import launch_run, request_evaluation
from webapp.jobs.models import Job

OF_THE_RUN: dict[str, Subset] = {"training_scores": "train", "validation_scores": "validation"}
CHOOSE = gettext_lazy("Fit the SVM on held-out folds or on training scores, or fuse by average.")


class NothingHeldOut(UserError):
    """Scores of videos that were held out of the training, and none were, or another run has learnt them."""


def request_fits(user: User, streams: Sequence[Evaluation], config: FusionConfig) -> list[list[Evaluation]]:
    """The evaluations to fit on, a list a stream, under the protocol of its test; nothing where no SVM is asked for.

    Each waits for its training; runs without a fold that are not there yet are launched.

    Raises:
        NothingHeldOut: as its name says.
        UnfitRun: a run without a fold can't be trained.
    """
    return [_fits(user, stream, config) for stream in streams] if config.method == "svm" else []


def _fits(user: User, stream: Evaluation, config: FusionConfig) -> list[Evaluation]:
    run, protocol, head = stream.run, stream.protocol_config, stream.other_split
    assert run is not None  # noqa: S101 - the streams were checked
    if config.fold_runs:
        return [request_evaluation(one, "validation", protocol, user, head) for one in _fold_runs(user, run, config.fold_runs)]
    if config.fit == "validation_scores" and not holds_out(run, stream.split):
        raise NothingHeldOut(_("“%(run)s” held no videos out for validation.") % {"run": run}, str(CHOOSE))
    return [request_evaluation(run, OF_THE_RUN[config.fit], protocol, user, head)]


def _fold_runs(user: User, run: Run, num_folds: int) -> list[Run]:
    """The run again without each fold; those that are there or on their way are taken."""
    start = initial_run(run.experiment)
    if start is not None and datasets_of(start) & datasets_of(run):
        raise NothingHeldOut(
            _("“%(run)s” started from “%(start)s”, which has learnt every fold.") % {"run": run, "start": start}, str(CHOOSE)
        )
    if (groups := min(map(num_groups, splits_of(run)))) < num_folds:
        found = {"groups": groups, "folds": num_folds}
        raise NothingHeldOut(_("%(groups)d groups of training videos do not fill %(folds)d folds.") % found, _("Take fewer folds."))
    return [existing_run(run, config) or _launch(user, run, config) for config in run.experiment.fold_runs(num_folds)]


def num_groups(split: Split) -> int:
    """Of its training videos; a video without one stands for itself and its copies."""
    training = SplitEntry.objects.filter(split=split, subset=SplitEntry.Subset.TRAIN, video__status=Video.Status.OK)
    named = training.exclude(video__group="").values("video__group").distinct().count()
    return named + training.filter(video__group="").values("video__media").distinct().count()


def existing_run(run: Run, config: ExperimentConfig) -> Run | None:
    """A run of this config on the same split that has not failed."""
    fold = {"config__data__validation_fold": config.data.validation_fold, "config__data__validation_folds": config.data.validation_folds}
    alike = Run.objects.filter(split=run.split_id, job__state__in=(*Job.OPEN, Job.State.DONE), **fold).select_related(
        "job", "split", "dataset"
    )
    return next((one for one in alike.order_by("-pk") if one.experiment.spec_id() == config.spec_id()), None)


def _launch(user: User, run: Run, config: ExperimentConfig) -> Run:
    found = {"name": run.name[:90], "fold": config.data.validation_fold, "folds": config.data.validation_folds}
    name = _("%(name)s, without fold %(fold)d of %(folds)d") % found
    return launch_run(user, run.dataset, run.split, config, name, parent=run, is_tested=False)
