"""Runs and the points of their curves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from ml.config.experiment import ExperimentConfig
from webapp.datasets.models import Split
from webapp.experiments.models.experiment import Experiment

if TYPE_CHECKING:
    from webapp.jobs.models import Job


class Run(Experiment):
    """One training of one config on one split. The config is never edited; a clone is a new run."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="clones")
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    notes = models.TextField(blank=True)
    is_archived = models.BooleanField(default=False)
    facts = models.JSONField(
        default=dict, blank=True, help_text="What the numbers depend on: snapshot hash, versions, commit, device, parameters."
    )

    class Meta(Experiment.Meta):
        default_related_name = "runs"

    @property
    def experiment(self) -> ExperimentConfig:
        return ExperimentConfig.model_validate(self.config)

    @property
    def gives_probabilities(self) -> bool:
        """Softmax of a network's scores, or its mean over views."""
        return True

    @property
    def modality(self) -> str:
        return str(self.config["data"]["input"]["modality"])

    @property
    def folder(self) -> Path:
        return Path(settings.DATA_DIR) / "runs" / str(int(self.pk))


class RunPoint(models.Model):
    """A point of a run's curves: training steps as they go, or an epoch's end."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="points")
    step = models.PositiveBigIntegerField()
    epoch = models.PositiveIntegerField()
    is_epoch_end = models.BooleanField(default=False)
    train = models.JSONField(default=dict, blank=True)
    validation = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("step", "is_epoch_end")
        constraints = (models.UniqueConstraint(fields=("run", "step", "is_epoch_end"), name="one_point_per_step"),)

    def __str__(self) -> str:
        return f"{self.run_id}@{self.step}"
