"""Score a subset with a run under a stated protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from webapp.experiments.models import Evaluation, Run
from webapp.jobs.models import Job
from worker.tasks.results import record_results
from worker.tasks.task import Task
from worker.tasks.train import dataset_folder, other_folder


class EvaluateTask(Task):
    """Subject: an `Evaluation` of a run."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.evaluation = Evaluation.objects.select_related("run", "other_split").get(pk=job.subject_id)

    def command(self) -> list[str]:
        evaluation = self.evaluation
        assert evaluation.run is not None  # noqa: S101 - a fusion's evaluation is a FUSE job
        return [
            "evaluate", str(evaluation.run.folder),
            "--dataset", str(self._dataset(evaluation.run)),
            "--subset", evaluation.subset,
            "--protocol", evaluation.protocol_config.short(),
            "--out", str(evaluation.folder),
        ]  # fmt: skip

    def _dataset(self, run: Run) -> Path:
        """Which also says which of a run's last layers is meant."""
        other = self.evaluation.other_split
        return other_folder(run, other) if other else dataset_folder(run)

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - read from the folder
        record_results(self.evaluation)
