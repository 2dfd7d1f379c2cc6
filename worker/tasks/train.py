"""Train a run, or resume it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml.config.data import OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.events import EpochEnded, Event, Started, StepsDone
from webapp.datasets.models import Split
from webapp.experiments.models import Run
from webapp.experiments.references import initial_run, other_splits
from webapp.jobs.models import Job
from worker.curve import Curve
from worker.database import or_later
from worker.files import write_config
from worker.snapshot import MANIFEST, export_dataset
from worker.supervise import Ending
from worker.tasks.task import Task


def dataset_folder(run: Run) -> Path:
    """The dataset as it was when the run began; evaluations and resumptions read the same."""
    return run.folder / "dataset"


def other_folder(run: Run, split: Split) -> Path:
    """A further dataset, as it was when the run began."""
    return run.folder / "others" / str(int(split.dataset_id))


class TrainTask(Task):
    """Subject: a `Run`. Its folder holds the checkpoint that the next attempt goes on from."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.run_row = Run.objects.select_related("dataset", "split").get(pk=job.subject_id)
        self.curve = Curve(self.run_row)

    def command(self) -> list[str]:
        run = self.run_row
        dataset = dataset_folder(run)
        if not (dataset / MANIFEST).exists():
            export_dataset(run.dataset, dataset)
        config = self.folder / "config.json"
        write_config(config, self._config(dataset))
        return ["train", str(config), "--out", str(run.folder)]

    def _config(self, dataset: Path) -> ExperimentConfig:
        """The run's config with folders in the place of what it names by number."""
        config, start = self.run_row.experiment, initial_run(self.run_row.experiment)
        also = [self._exported(split) for split in other_splits(config)]
        data = config.data.replace(dataset=str(dataset), split=self.run_row.split.name, also=also)
        return config.replace(data=data, training=config.training.replace(init_run=str(start.folder) if start else ""))

    def _exported(self, split: Split) -> OtherDataset:
        """Written once, as the run's own dataset is."""
        folder = other_folder(self.run_row, split)
        if not (folder / MANIFEST).exists():
            export_dataset(split.dataset, folder)
        return OtherDataset(dataset=str(folder), split=split.name)

    def on_event(self, event: Event) -> None:
        match event:
            case Started(total=total):
                self.curve.begin(total)
            case StepsDone() | EpochEnded():
                self.curve.add(event)
        self.curve.write_if_due()

    def run(self, lease: str) -> Ending:
        ending = super().run(lease)
        with or_later(str(self.job)):
            self.curve.write()
        return ending

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - the facts are in the folder
        self.curve.write()
        facts = json.loads((self.run_row.folder / "run.json").read_text(encoding="utf-8"))
        Run.objects.filter(pk=self.run_row.pk).update(facts=facts)
