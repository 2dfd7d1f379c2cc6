"""Train a run, or resume it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml.config.experiment import ExperimentConfig
from ml.events import EpochEnded, Event, StepsDone
from webapp.experiments.models import Run, RunPoint
from webapp.jobs.models import Job
from worker.files import write_config
from worker.snapshot import MANIFEST, export_dataset
from worker.tasks.task import Task


def dataset_folder(run: Run) -> Path:
    """The dataset as it was when the run began; evaluations and resumptions read the same."""
    return run.folder / "dataset"


class TrainTask(Task):
    """Subject: a `Run`. Its folder holds the checkpoint that the next attempt goes on from."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.run_row = Run.objects.select_related("dataset", "split").get(pk=job.subject_id)

    def command(self) -> list[str]:
        run = self.run_row
        dataset = dataset_folder(run)
        if not (dataset / MANIFEST).exists():
            export_dataset(run.dataset, dataset)
        config = self.folder / "config.json"
        write_config(config, self._config(dataset))
        return ["train", str(config), "--out", str(run.folder)]

    def _config(self, dataset: Path) -> ExperimentConfig:
        config = self.run_row.experiment
        return config.replace(data=config.data.replace(dataset=str(dataset), split=self.run_row.split.name))

    def on_event(self, event: Event) -> None:
        match event:
            case StepsDone():
                train = {**event.losses, "learning_rate": event.learning_rate, "videos_per_second": event.videos_per_second}
                self._point(event.step, event.epoch, is_epoch_end=False, train=train, validation={})
            case EpochEnded():
                self._point(event.step, event.epoch, is_epoch_end=True, train=event.train, validation=event.validation)

    def _point(self, step: int, epoch: int, *, is_epoch_end: bool, train: dict[str, float], validation: dict[str, float]) -> None:
        """A resumed run comes by some steps again, with the same numbers."""
        RunPoint.objects.update_or_create(
            run=self.run_row,
            step=step,
            is_epoch_end=is_epoch_end,
            defaults={"epoch": epoch, "train": train, "validation": validation},
        )

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - the facts are in the folder
        facts = json.loads((self.run_row.folder / "run.json").read_text(encoding="utf-8"))
        Run.objects.filter(pk=self.run_row.pk).update(facts=facts)
