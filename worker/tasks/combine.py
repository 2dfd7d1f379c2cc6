"""Make a dataset of two others: their manifests and the class map in, one manifest out, its videos as rows."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction

from ml.config.combining import ClassMap
from ml.config.data import Manifest
from webapp.datasets.models import Dataset
from webapp.jobs.models import Job
from worker.files import write_config
from worker.rows import add_manifest
from worker.snapshot import MANIFEST, export_dataset
from worker.tasks.sources import MissingSource
from worker.tasks.task import Task


class CombineTask(Task):
    """Subject: a `Dataset` without videos whose `combination` says what it is to be made of."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.dataset = Dataset.objects.get(pk=job.subject_id)

    @property
    def work(self) -> Path:
        return self.folder / "manifests"

    def command(self) -> list[str]:
        first, second = (export_dataset(self._source(place), self.work / place) for place in ("first", "second"))
        write_config(self.work / "map.json", ClassMap(classes=self.dataset.combination["classes"]))
        return [
            "combine", str(first), str(second),
            "--map", str(self.work / "map.json"),
            f"--name={self.dataset.name}",
            "--out", str(self.work / "combined"),
        ]  # fmt: skip

    def _source(self, place: str) -> Dataset:
        named = self.dataset.combination[place]
        source = Dataset.objects.filter(pk=named["id"]).first()
        if source is None:
            raise MissingSource("Dataset “{name}” was deleted", "Delete this dataset, and combine others.", name=named["name"])
        return source

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - read from the folder
        manifest = Manifest.model_validate_json((self.work / "combined" / MANIFEST).read_bytes())
        add_manifest(self.dataset, manifest, prefix=f"{self.dataset.pk}-")
        transaction.on_commit(partial(shutil.rmtree, self.work, ignore_errors=True))
