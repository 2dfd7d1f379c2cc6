"""Evaluations of runs and fusions with their protocol, and what they say of each video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from ml.config.evaluation import Protocol
from webapp.datasets.models import Video
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.source import OfRunOrFusion, of_run_or_fusion

if TYPE_CHECKING:
    from webapp.jobs.models import Job


class Evaluation(OfRunOrFusion):
    """Scores of one run or one fusion on one subset under one protocol, and the metrics that follow from them."""

    fusion = models.OneToOneField(Fusion, null=True, blank=True, on_delete=models.CASCADE, related_name="evaluation")
    subset = models.CharField(max_length=10)
    protocol = models.JSONField()
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    metrics = models.JSONField(
        default=dict, blank=True, help_text="top1, top5, mean_class_accuracy, map, per_class, confusion, protocol; empty until done."
    )
    umap = models.JSONField(default=dict, blank=True, help_text="The map that was asked for last, a UmapConfig; empty until one is.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        default_related_name = "evaluations"
        constraints = (of_run_or_fusion("evaluation_of_run_or_fusion"),)

    def __str__(self) -> str:
        return f"{self.source} on {self.subset}"

    @property
    def protocol_config(self) -> Protocol:
        return Protocol.model_validate(self.protocol)

    @property
    def num_relabelled(self) -> int:
        """Videos that have another class now; the numbers count them under the one that they had when the run began."""
        return self.video_scores.exclude(label_index=models.F("video__label__index")).count()

    @property
    def folder(self) -> Path:
        """Holds `scores.npz` and `results.json`."""
        return Path(settings.DATA_DIR) / "evaluations" / str(int(self.pk))


class VideoScore(models.Model):
    """What an evaluation says of one video: the rows behind every bar, cell and gallery."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="video_scores")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="scores")
    label_index = models.PositiveIntegerField()
    predicted_index = models.PositiveIntegerField()
    is_correct = models.BooleanField()
    true_rank = models.PositiveIntegerField(help_text="0 when the true class has the highest score.")
    true_probability = models.FloatField()
    top = models.JSONField(help_text="The five highest: [[class index, probability], …].")

    class Meta:
        indexes = (models.Index(fields=("evaluation", "label_index", "predicted_index"), name="videoscore_cell"),)
        constraints = (models.UniqueConstraint(fields=("evaluation", "video"), name="one_score_per_video"),)

    def __str__(self) -> str:
        return f"{self.evaluation_id}/{self.video_id}"
