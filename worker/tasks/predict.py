"""Predict one video with a run or a fusion, through the warm process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ml.words import packed
from webapp.experiments.models import Run
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction
from worker.supervise import Ending
from worker.tasks.task import Task
from worker.tasks.train import other_folder
from worker.warm import warm

LIMIT_SECONDS = 300.0


class PredictTask(Task):
    """Subject: a `Prediction`."""

    limit_seconds = LIMIT_SECONDS

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.prediction = Prediction.objects.select_related("upload", "run", "other_split", "fusion__evaluation").get(pk=job.subject_id)

    def command(self) -> list[str]:
        runs = ["--runs", *map(str, self.runs)] if self.runs else []
        upload = self.prediction.upload
        head = ["--dataset", self.dataset] if self.dataset else []
        return ["predict", str(self.source), f"{upload.path}::{upload.name}", *runs, *head, "--out", str(self.prediction.folder)]

    @property
    def dataset(self) -> str:
        """Folder of the further dataset whose classes are asked for; nothing for the source's own."""
        run, split = self.prediction.run, self.prediction.other_split
        return str(other_folder(run, split)) if run is not None and split is not None else ""

    @property
    def source(self) -> Path:
        """The run's folder, or the score file of the fusion."""
        if self.prediction.fusion is not None:
            return self.prediction.fusion.evaluation.folder / "scores.npz"
        assert self.prediction.run is not None  # noqa: S101 - one of the two, says the table
        return self.prediction.run.folder

    @property
    def runs(self) -> list[Path]:
        """The fusion's runs in order. The score file names them too, but as they lay when it was written."""
        return [run.folder for run in self._streams] if self.prediction.fusion is not None else []

    @property
    def _streams(self) -> list[Run]:
        """Who answers, in the order of the answer."""
        if self.prediction.fusion is None:
            return [self.prediction.run] if self.prediction.run is not None else []
        members = self.prediction.fusion.memberships.select_related("evaluation__run")
        return [member.evaluation.run for member in members if member.evaluation.run is not None]

    def run(self, lease: str) -> Ending:
        request = {
            "source": str(self.source),
            "runs": [str(run) for run in self.runs],
            "dataset": self.dataset,
            "video": str(self.prediction.upload.path),
            "name": self.prediction.upload.name,
            "out": str(self.prediction.folder),
        }
        return warm.ask(self.job, lease, request, self.on_event, self.limit_seconds)

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:
        """The engine calls a stream by its folder, which is a number; people by the name of its run."""
        result = answer or summary
        named = [{**said, "name": run.name} for said, run in zip(result["streams"], self._streams, strict=True)]
        Prediction.objects.filter(pk=self.prediction.pk).update(result=packed({**result, "streams": named}))
