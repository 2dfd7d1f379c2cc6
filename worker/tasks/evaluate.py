"""Score a subset with a run under a stated protocol."""

from __future__ import annotations

from typing import Any

from webapp.experiments.models import Evaluation
from webapp.jobs.models import Job
from worker.tasks.results import record_results
from worker.tasks.task import Task
from worker.tasks.train import dataset_folder


class EvaluateTask(Task):
    """Subject: an `Evaluation` of a run."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.evaluation = Evaluation.objects.select_related("run").get(pk=job.subject_id)

    def command(self) -> list[str]:
        evaluation = self.evaluation
        assert evaluation.run is not None  # noqa: S101 - a fusion's evaluation is a FUSE job
        return [
            "evaluate", str(evaluation.run.folder),
            "--dataset", str(dataset_folder(evaluation.run)),
            "--subset", evaluation.subset,
            "--protocol", evaluation.protocol_config.short(),
            "--out", str(evaluation.folder),
        ]  # fmt: skip

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - read from the folder
        record_results(self.evaluation)
