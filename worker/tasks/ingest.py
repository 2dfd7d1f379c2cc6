"""Import videos: files into the media store, and rows for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from ml.config.data import Manifest
from webapp.datasets.models import Dataset, Import, media_store
from webapp.datasets.services.imports import free_uploads
from webapp.jobs.models import Job
from webapp.predictions.services import note_arrival
from worker.rows import add_manifest
from worker.snapshot import MANIFEST
from worker.tasks.sources import chosen, sources
from worker.tasks.task import Task


class IngestTask(Task):
    """Subject: an `Import` whose options the user has confirmed. Content that is in the store already is not decoded again."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.source = Import.objects.select_related("dataset", "user").get(pk=job.subject_id)

    @property
    def out(self) -> Path:
        return Path(settings.DATA_DIR) / "imports" / str(int(self.source.pk))

    def command(self) -> list[str]:
        return [
            "ingest", *sources(self.source),
            "--out", str(self.out),
            "--store", str(media_store().root),
            *chosen(self.source, ("name", "label", "group", "test_fraction", "seed")),
            *self._short_side(),
        ]  # fmt: skip

    def _short_side(self) -> list[str]:
        """Videos that join a dataset are stored as its others are."""
        spec = self.source.dataset.frame_spec if self.source.dataset else self.source.options.get("frame_spec")
        return [f"--short-side={spec['short_side']}"] if spec else []

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - read from the folder
        manifest = Manifest.model_validate_json((self.out / MANIFEST).read_bytes())
        dataset = self.source.dataset or Dataset.objects.create(name=manifest.name, owner=self.source.user)
        videos = add_manifest(dataset, manifest, prefix=f"{self.source.pk}-")
        Import.objects.filter(pk=self.source.pk).update(dataset=dataset)
        Job.objects.filter(pk=self.job.pk).update(dataset=dataset)
        note_arrival(self.source, videos)
        free_uploads(self.source)
