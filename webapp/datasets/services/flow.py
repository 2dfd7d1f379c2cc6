"""Optical flow of a dataset: asking for it, and taking it away again."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ml.config.flow import ON_TORCH, FlowSpec
from ml.errors import DiskFull, UserError
from ml.words import Words
from webapp.choices import name_of
from webapp.datasets.models import Dataset, FlowCache, Video
from webapp.datasets.selectors.estimate import expected_bytes
from webapp.datasets.selectors.flow import files, own_media
from webapp.datasets.services.files import remove_after_commit
from webapp.experiments.models import Run
from webapp.jobs.models import Job
from webapp.jobs.selectors import has_gpu_worker
from webapp.jobs.services import open_job, restart, submit, submit_in_parts
from webapp.jobs.storage import disk
from webapp.words import as_words

PAIRS_A_PART = 10_000
"""Minutes of DIS or Farnebäck on one core, hours of TV-L1: the few seconds that a process needs to start do not count."""

MOST_PARTS = 64


class FlowInUse(UserError):
    """Flow that a job still writes or waits for."""


@transaction.atomic
def request_flow(dataset: Dataset, spec: FlowSpec, user: User) -> tuple[FlowCache, Job | None]:
    """The cache of this spec and the job that completes it; None in its place when nothing is left to do.

    Asking twice gives the same cache and the same job; an extraction that ended early goes on where it was.

    Raises:
        DiskFull: it would not fit.
    """
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    cache, _created = FlowCache.objects.get_or_create(
        dataset=dataset, spec_id=spec.spec_id(), defaults={"spec": spec.model_dump(mode="json")}
    )
    if is_complete(cache):
        return cache, None
    job = latest_flow_job(cache)
    if job is not None and job.is_restartable:
        restart(job)
    elif job is None or not job.is_open:
        _check_room(cache, spec)
        title = Words("{method} flow of {dataset}", method=as_words(name_of(spec.method.kind)), dataset=dataset.name)
        job = open_job(Job.Kind.FLOW, title, user, dataset)
        _submit(job, cache, "gpu" if spec.method.kind in ON_TORCH and has_gpu_worker() else "cpu")
    return cache, job


def _check_room(cache: FlowCache, spec: FlowSpec) -> None:
    needed, free = expected_bytes(cache.dataset, spec) - cache.bytes, disk().free
    if needed > free:
        sizes = {"needed": filesizeformat(needed), "free": filesizeformat(free)}
        raise DiskFull(
            _("This flow takes about %(needed)s, and %(free)s are free on the disk.") % sizes,
            _("Free some space, or choose a lower quality or the fixed bound."),
        )


def _submit(job: Job, cache: FlowCache, queue: str) -> None:
    """In parts where there is work enough for several workers."""
    work = _videos(cache).filter(frames__gt=1).aggregate(contents=Count("media", distinct=True), pairs=Sum(F("frames") - 1, default=0))
    num_parts = min(MOST_PARTS, work["contents"], work["pairs"] // PAIRS_A_PART)
    if num_parts < 2:
        submit(job, cache.pk, queue=queue)
    else:
        submit_in_parts(job, cache.pk, num_parts, work["pairs"], "pairs", queue)


def _videos(cache: FlowCache) -> QuerySet[Video]:
    return Video.objects.filter(dataset=cache.dataset_id, status=Video.Status.OK, label__isnull=False)


def is_complete(cache: FlowCache) -> bool:
    """Whether every video that can be trained on has its flow, or a reason why not."""
    usable = _videos(cache).count()
    return 0 < usable <= cache.videos_done + len(cache.videos_failed)


def latest_flow_job(cache: FlowCache) -> Job | None:
    return Job.objects.filter(kind=Job.Kind.FLOW, parent=None, subject_id=cache.pk).order_by("-id").first()


@transaction.atomic
def delete_flow(cache: FlowCache) -> None:
    """Take the cache's rows and, once that is committed, its packs and previews away; those that another dataset keeps too stay.

    Raises:
        FlowInUse: an open job writes or reads this flow, or will.
    """
    Dataset.objects.select_for_update().get(pk=cache.dataset_id)
    job = _job_that_needs(cache)
    if job is not None:
        raise FlowInUse(
            _("“%(job)s” (%(state)s) needs this flow.") % {"job": job, "state": job.get_state_display()},
            _("Wait until it ends, or cancel it."),
        )
    paths = files(cache, own_media(cache))
    cache.delete()
    remove_after_commit(*paths)


def _job_that_needs(cache: FlowCache) -> Job | None:
    open_jobs = Job.objects.filter(state__in=Job.OPEN)
    extracting = open_jobs.filter(dataset=cache.dataset_id, kind=Job.Kind.FLOW, subject_id=cache.pk).first()
    if extracting is not None:
        return extracting
    reading = open_jobs.filter(kind__in=(Job.Kind.TRAIN, Job.Kind.EVALUATE)).order_by("pk")
    return next((job for job in reading if _reads(job, cache)), None)


def _reads(job: Job, cache: FlowCache) -> bool:
    """Whether a training or an evaluation sees this flow."""
    runs = Run.objects.filter(job=job) if job.kind == Job.Kind.TRAIN else Run.objects.filter(evaluations__job=job)
    return any(_sees(run, cache) for run in runs)


def _sees(run: Run, cache: FlowCache) -> bool:
    """On its own dataset, or on a further one."""
    data = run.experiment.data
    flow = data.input.reads_flow
    datasets = {str(run.dataset_id), *(other.dataset for other in data.also)}
    return str(cache.dataset_id) in datasets and flow is not None and flow.spec_id() == cache.spec_id
