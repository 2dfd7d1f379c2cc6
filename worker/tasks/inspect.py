"""Recognise what an upload holds, before anything is written."""

from __future__ import annotations

from typing import Any

from webapp.datasets.models import Import
from webapp.jobs.models import Job
from worker.tasks.sources import chosen, sources
from worker.tasks.task import Task


class InspectTask(Task):
    """Subject: an `Import`."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.source = Import.objects.get(pk=job.subject_id)

    def command(self) -> list[str]:
        return ["inspect", *sources(self.source), *chosen(self.source, ("label", "test_fraction", "seed"))]

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:
        Import.objects.filter(pk=self.source.pk).update(preview=answer or summary)
