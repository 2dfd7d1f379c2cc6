"""Check weights that were uploaded, or are fetched from their publisher, against their backbone; keep those that fit."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from webapp.datasets.services.uploads import discard_upload
from webapp.experiments.models import WeightsFile, weights_folder
from webapp.jobs.models import Job
from worker.tasks.sources import MissingSource
from worker.tasks.task import Task


class WeightsTask(Task):
    """Subject: a `WeightsFile`. Its upload goes once it was read: what fits was copied, what does not is of no use."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.weights = WeightsFile.objects.select_related("upload").get(pk=job.subject_id)

    def command(self) -> list[str]:
        return ["weights", *self._files(), "--backbone", self.weights.backbone, "--keep", str(weights_folder())]

    def _files(self) -> list[str]:
        if self.weights.is_fetched:
            return []
        if self.weights.upload is None:
            raise MissingSource("The bytes of “{name}” are gone", "Upload the file again.", name=self.weights.name)
        return [f"{self.weights.upload.path}::{self.weights.name}"]

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:
        upload = self.weights.upload
        WeightsFile.objects.filter(pk=self.weights.pk).update(report=answer or summary, upload=None)
        if upload is not None:
            transaction.on_commit(lambda: discard_upload(upload))
