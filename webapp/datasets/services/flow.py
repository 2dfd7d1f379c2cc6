"""Optical flow of a dataset: asking for it, and taking it away again."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.flow import FlowSpec
from ml.errors import UserError
from webapp.choices import name_of
from webapp.datasets.models import Dataset, FlowCache, Video, media_store
from webapp.datasets.services.files import remove_after_commit
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, restart, submit


class FlowInUse(UserError):
    """Flow that a job still writes or waits for."""


@transaction.atomic
def request_flow(dataset: Dataset, spec: FlowSpec, user: User) -> tuple[FlowCache, Job | None]:
    """The cache of this spec and the job that completes it; None in its place when nothing is left to do.

    Asking twice gives the same cache and the same job; an extraction that ended early goes on where it was.
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
        title = _("%(method)s flow of %(dataset)s") % {"method": name_of(spec.method.kind), "dataset": dataset.name}
        job = open_job(Job.Kind.FLOW, title, user, dataset)
        submit(job, cache.pk)
    return cache, job


def is_complete(cache: FlowCache) -> bool:
    """Whether every usable video has its flow, or a reason why not."""
    usable = Video.objects.filter(dataset=cache.dataset_id, status=Video.Status.OK).count()
    return 0 < usable <= cache.videos_done + len(cache.videos_failed)


def latest_flow_job(cache: FlowCache) -> Job | None:
    return Job.objects.filter(kind=Job.Kind.FLOW, subject_id=cache.pk).order_by("-id").first()


@transaction.atomic
def delete_flow(cache: FlowCache) -> None:
    """Take the cache's rows and, once that is committed, its packs and previews away.

    Raises:
        FlowInUse: a job of the dataset is open that may read or write them.
    """
    dataset = Dataset.objects.select_for_update().get(pk=cache.dataset_id)
    if Job.objects.filter(dataset=dataset, state__in=Job.OPEN, kind__in=(Job.Kind.FLOW, Job.Kind.TRAIN, Job.Kind.EVALUATE)).exists():
        raise FlowInUse(_("A job of this dataset is waiting or running and may need this flow."), _("Wait until it ends, or cancel it."))
    kept = FlowCache.objects.filter(spec_id=cache.spec_id).exclude(pk=cache.pk).values("dataset")
    shared = Video.objects.filter(dataset__in=kept).values("media")
    media = Video.objects.filter(dataset=dataset).exclude(media="").exclude(media__in=shared)
    store = media_store()
    frames_id = dataset.frames.spec_id()
    names = list(media.values_list("media", flat=True).distinct().order_by())
    cache.delete()
    remove_after_commit(
        *(store.flow(name, frames_id, cache.spec_id) for name in names),
        *(store.flow_preview(name, frames_id, cache.spec_id) for name in names),
    )
