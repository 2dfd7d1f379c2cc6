"""Extract optical flow for a dataset, or for one part of it."""

from __future__ import annotations

from typing import Any

from ml.config.flow import FlowSpec
from ml.events import Event, Started, VideoDone, VideoFailed
from webapp.datasets.models import FlowCache
from webapp.jobs.models import Job
from worker.files import write_config
from worker.nodes import cores_each
from worker.snapshot import export_dataset
from worker.tasks.task import Task

WRITE_EVERY = 20


class FlowTask(Task):
    """Subject: a `FlowCache`. Videos that have their flow already are passed over, so it may be interrupted at any time.

    A part makes packs and says nothing of the cache; the job it belongs to comes after all parts, finds their packs and counts them.
    """

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.cache = FlowCache.objects.select_related("dataset").get(pk=job.subject_id)

    def command(self) -> list[str]:
        spec = self.folder / "flow.json"
        write_config(spec, FlowSpec.model_validate(self.cache.spec))
        dataset = export_dataset(self.cache.dataset, self.folder)
        return ["flow", str(dataset), "--spec", str(spec), *self._share()]

    def _share(self) -> list[str]:
        """A part leaves the other cores of this machine to the other parts; the whole takes all that it can get."""
        if self.job.shard is None:
            return []
        number, count = self.job.shard
        return ["--shard", f"{number}/{count}", "--processes", str(cores_each(self.job.worker, self.job.queue))]

    def on_event(self, event: Event) -> None:
        if self.job.parent_id is not None:
            return
        match event:
            case Started():
                self.cache.videos_done, self.cache.bytes, self.cache.videos_failed = 0, 0, []
            case VideoDone(bytes=size):
                self.cache.videos_done += 1
                self.cache.bytes += size
            case VideoFailed(video=video, reason=reason, advice=advice):
                self.cache.videos_failed.append({"video": video, "reason": reason, "advice": advice})
            case _:
                return
        if (self.cache.videos_done + len(self.cache.videos_failed)) % WRITE_EVERY == 0:
            self._save()

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - the events told all
        if self.job.parent_id is None:
            self._save()

    def _save(self) -> None:
        self.cache.save(update_fields=["videos_done", "bytes", "videos_failed"])
