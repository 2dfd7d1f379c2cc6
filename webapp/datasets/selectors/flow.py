"""The flow of a dataset: what was extracted, what it takes, who shares it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from ml.config.flow import FlowSpec
from ml.config.schema import Schema
from webapp.choices import name_of
from webapp.datasets.models import Dataset, FlowCache, Video
from webapp.datasets.selectors import AnyUser, visible_datasets
from webapp.datasets.services.files import bytes_in
from webapp.jobs.models import Job
from webapp.punctuation import labelled, listed


@dataclass(frozen=True)
class FlowRow:
    """A flow cache with its newest job.

    `missing` videos came after the extraction or were left by it; `shared_with` names datasets that keep some of its files; `freed` is
    what deleting gives back.
    """

    cache: FlowCache
    job: Job | None = None
    shared_with: tuple[str, ...] = ()
    freed: int = 0
    missing: int = 0

    @property
    def is_live(self) -> bool:
        return self.job is not None and self.job.is_open

    @property
    def method(self) -> str:
        return str(name_of(self.cache.spec["method"]["kind"]))

    @property
    def parameters(self) -> str:
        """The spec in one line, in the reader's language."""
        spec = FlowSpec.model_validate(self.cache.spec)
        stored = ("encoding", "bound", "quality") if spec.encoding == "bound" else ("encoding", "quality")
        method = [name for name in type(spec.method).model_fields if name != "kind"]
        return listed((*_in_words(spec.method, method), *_in_words(spec, stored)))


def _in_words(config: Schema, names: Iterable[str]) -> Iterator[str]:
    """`Preset: Medium`."""
    for name in names:
        title = type(config).model_fields[name].title or name
        yield labelled(_(title), name_of(getattr(config, name), title))


def flow_rows(dataset: Dataset, user: AnyUser) -> list[FlowRow]:
    """The newest first; what can be deleted with what that gives back."""
    caches = list(dataset.flow_caches.select_related("dataset"))
    jobs = Job.objects.filter(kind=Job.Kind.FLOW, parent=None, subject_id__in=[cache.pk for cache in caches])
    newest = {job.subject_id: job for job in jobs.prefetch_related("parts").order_by("id")}
    usable = num_usable(dataset) if caches else 0
    return [_row(cache, newest.get(cache.pk), user, usable) for cache in caches]


def num_usable(dataset: Dataset) -> int:
    """Videos that can be trained on, and so need flow."""
    return dataset.videos.filter(status=Video.Status.OK, label__isnull=False).count()


def open_flow_job(dataset: Dataset) -> Job | None:
    """The extraction that is waiting or running, if there is one."""
    return Job.objects.filter(dataset=dataset, kind=Job.Kind.FLOW, parent=None, state__in=Job.OPEN).order_by("id").first()


def _row(cache: FlowCache, job: Job | None, user: AnyUser, usable: int) -> FlowRow:
    if job is not None and job.is_open:
        return FlowRow(cache, job)
    shared_with = _sharing(cache, user)
    freed = sum(map(bytes_in, files(cache, own_media(cache)))) if shared_with else cache.bytes
    return FlowRow(cache, job, shared_with, freed, missing=max(0, usable - cache.videos_done - len(cache.videos_failed)))


def _sharing(cache: FlowCache, user: AnyUser) -> tuple[str, ...]:
    """Other datasets that have the same flow of some of the same videos; those the user may not see go without a name."""
    media = Video.objects.filter(dataset=cache.dataset_id).exclude(media="").values("media")
    datasets = Dataset.objects.filter(pk__in=_alike(cache).values("dataset"), videos__media__in=media).distinct()
    seen = list(datasets.filter(pk__in=visible_datasets(user).values("pk")).values_list("name", flat=True))
    return (*seen, *([_("a dataset of somebody else")] if datasets.count() > len(seen) else []))


def own_media(cache: FlowCache) -> list[str]:
    """Contents whose flow goes when the cache goes: no other dataset keeps it."""
    shared = Video.objects.filter(dataset__in=_alike(cache).values("dataset")).values("media")
    own = Video.objects.filter(dataset=cache.dataset_id).exclude(media="").exclude(media__in=shared)
    return list(own.order_by().values_list("media", flat=True).distinct())


def files(cache: FlowCache, media: Iterable[str]) -> list[Path]:
    """Packs and previews of these contents."""
    return [path for content in media for path in (cache.pack(content), cache.preview(content))]


def _alike(cache: FlowCache) -> QuerySet[FlowCache]:
    """Other datasets' caches of this spec, made from frames that are stored alike: the same files where videos are the same."""
    return FlowCache.objects.filter(spec_id=cache.spec_id, dataset__frame_spec=cache.dataset.frame_spec).exclude(pk=cache.pk)
