"""Starting experiments: rows and jobs in one transaction, in the order in which they depend on each other."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.data import Subset
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.errors import UserError
from ml.words import Words, joined
from webapp.datasets.models import Dataset, Split, SplitEntry
from webapp.datasets.services.flow import request_flow
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.preflight import preflight
from webapp.experiments.references import on_split, other_splits
from webapp.experiments.selectors.access import trainable_splits
from webapp.experiments.services.names import unused_name
from webapp.jobs.models import Job
from webapp.jobs.selectors import has_gpu_worker
from webapp.jobs.services import open_job, submit


class EvaluationBusy(UserError):
    """A test that is on its way."""


class UnfitRun(UserError):
    """A config that can't be trained on the chosen split."""


@transaction.atomic
def launch_run(
    user: User,
    dataset: Dataset,
    split: Split,
    config: ExperimentConfig,
    name: str,
    parent: Run | None = None,
    after: Iterable[Job] = (),
    is_tested: bool = True,
) -> Run:
    """A run with its training job, and behind it, unless it is not to be tested, its tests; missing flow is extracted before.

    A name that a run of the dataset has gets a number.

    It is tested on every dataset that it learns, where the split has videos for it.

    Raises:
        UnfitRun: the preflight found an error, or the user may not train on a further dataset.
    """
    config = on_split(config, split)
    _check(dataset, split, config)
    name = unused_name(Run, dataset, name)
    job = open_job(Job.Kind.TRAIN, name, user, dataset)
    run = Run.objects.create(
        name=name, owner=user, dataset=dataset, split=split, config=config.model_dump(mode="json"), parent=parent, job=job
    )
    others = other_splits(config)
    _check_rights(user, others)
    datasets = [dataset, *(other.dataset for other in others)]
    flow_jobs = [job for each in datasets for job in _flow_jobs(user, each, config)]
    submit(job, run.pk, after=[*flow_jobs, *after], queue=queue_for(config))
    if is_tested:
        for tested in (None, *(other for other in others if other.entries.filter(subset=SplitEntry.Subset.TEST).exists())):
            request_evaluation(run, "test", config.evaluation, user, tested)
    return run


def _check(dataset: Dataset, split: Split, config: ExperimentConfig) -> None:
    if split.dataset_id != dataset.pk:
        raise UnfitRun(_("Split “%(split)s” belongs to another dataset.") % {"split": split}, _("Choose a split of this dataset."))
    for finding in preflight(split, config):
        if finding.level == "error":
            raise UnfitRun(finding.message, finding.advice)


def _check_rights(user: User, others: Iterable[Split]) -> None:
    """Whoever chose the further datasets, it is this user who trains on them."""
    foreign = next((other for other in others if not trainable_splits(user).filter(pk=other.pk).exists()), None)
    if foreign is not None:
        text = _("You may not train on “%(dataset)s”.") % {"dataset": foreign.dataset}
        raise UnfitRun(text, _("Ask its owner to let you change it, or start a run without it."))


def _flow_jobs(user: User, dataset: Dataset, config: ExperimentConfig) -> list[Job]:
    """The job that extracts what the config needs, where anything is missing."""
    flow = config.data.input.reads_flow
    if flow is None:
        return []
    _cache, job = request_flow(dataset, flow, user)
    return [job] if job is not None else []


def queue_for(config: ExperimentConfig) -> str:
    """`gpu` when the config asks for one, or leaves the choice and a worker with one was heard; else `cpu`."""
    device = config.training.device
    if device == "auto":
        device = "cuda" if has_gpu_worker() else "cpu"
    return "gpu" if device == "cuda" else "cpu"


@transaction.atomic
def request_evaluation(run: Run, subset: Subset, protocol: Protocol, user: User, other_split: Split | None = None) -> Evaluation:
    """The evaluation of a run on a subset under a protocol; the same one again when it is there or on its way.

    Args:
        other_split: of a further dataset that the run learns, to be tested in the place of its own.
    """
    alike = run.evaluations.filter(other_split=other_split, subset=subset, job__state__in=(*Job.OPEN, Job.State.DONE))
    existing = next((one for one in alike.select_related("job").defer("metrics") if one.protocol_config == protocol), None)
    if existing is not None:
        return existing
    title = joined([run.name, *([other_split.dataset.name] if other_split else []), Words(subset), protocol.title()], " · ")
    job = open_job(Job.Kind.EVALUATE, title, user, run.dataset)
    stored = protocol.model_dump(mode="json")
    evaluation = Evaluation.objects.create(run=run, other_split=other_split, subset=subset, protocol=stored, job=job)
    pending = [run.job] if run.job.state != Job.State.DONE else []
    submit(job, evaluation.pk, after=pending, queue=queue_for(run.experiment))
    return evaluation


@transaction.atomic
def repeat_evaluation(evaluation: Evaluation, user: User) -> Job:
    """The same test of a run once more, under a job of its own; what is there stays until its results take their place.

    Raises:
        EvaluationBusy: it is on its way.
    """
    run = Run.objects.select_for_update().get(evaluations=evaluation)
    if Job.objects.filter(kind=Job.Kind.EVALUATE, subject_id=evaluation.pk, state__in=Job.OPEN).exists():
        raise EvaluationBusy(_("This evaluation is on its way already."), _("Wait until it is done, or cancel its job."))
    job = open_job(Job.Kind.EVALUATE, evaluation.job.title, user, run.dataset)
    submit(job, evaluation.pk, queue=queue_for(run.experiment))
    return job
