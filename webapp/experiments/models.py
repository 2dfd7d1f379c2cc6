"""Runs, the points of their curves, evaluations with their protocol, and fusions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.study import StudyConfig
from webapp.datasets.models import Dataset, Split, Upload, Video

if TYPE_CHECKING:
    from webapp.jobs.models import Job


class Run(models.Model):
    """One training of one config on one split. The config is never edited; a clone is a new run."""

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="runs")
    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="runs")
    config = models.JSONField()
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="clones")
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    notes = models.TextField(blank=True)
    is_archived = models.BooleanField(default=False)
    facts = models.JSONField(
        default=dict, blank=True, help_text="What the numbers depend on: snapshot hash, versions, commit, device, parameters."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

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


class Study(models.Model):
    """One experiment over a grid of values: what is compared, and the splits and seeds it is repeated on.

    Only the grid is stored, and it may grow. Which run stands where follows from the runs' own configs.
    """

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studies")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="studies")
    config = models.JSONField()
    runs = models.ManyToManyField(Run, related_name="studies", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @property
    def grid(self) -> StudyConfig:
        return StudyConfig.model_validate(self.config)


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


class Fusion(models.Model):
    """Streams fused into one score: members are evaluations of the same videos under the same classes."""

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="fusions")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="fusions")
    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="fusions")
    config = models.JSONField()
    subset = models.CharField(max_length=10, default="test")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @property
    def fusion(self) -> FusionConfig:
        return FusionConfig.model_validate(self.config)

    @property
    def gives_probabilities(self) -> bool:
        """An SVM's scores are margins: their softmax keeps the order of the classes, and is no probability."""
        return self.fusion.method != "svm"


class Evaluation(models.Model):
    """Scores of one run or one fusion on one subset under one protocol, and the metrics that follow from them."""

    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="evaluations")
    fusion = models.OneToOneField(Fusion, null=True, blank=True, on_delete=models.CASCADE, related_name="evaluation")
    other_split = models.ForeignKey(
        Split,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="evaluations",
        help_text="Of a further dataset that the run has learnt, where it is tested on that one; empty: its own.",
    )
    subset = models.CharField(max_length=10)
    protocol = models.JSONField()
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    metrics = models.JSONField(
        default=dict, blank=True, help_text="top1, top5, mean_class_accuracy, map, per_class, confusion, protocol; empty until done."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(run__isnull=False) ^ models.Q(fusion__isnull=False), name="evaluation_of_run_or_fusion"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source} on {self.subset}"

    @property
    def source(self) -> Run | Fusion:
        """What was evaluated."""
        source = self.run or self.fusion
        assert source is not None  # the constraint above
        return source

    @property
    def split(self) -> Split:
        """Whose videos are scored."""
        return self.other_split or self.source.split

    @property
    def dataset(self) -> Dataset:
        return self.other_split.dataset if self.other_split else self.source.dataset

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


class FusionMember(models.Model):
    """A stream of a fusion, in order."""

    fusion = models.ForeignKey(Fusion, on_delete=models.CASCADE, related_name="memberships")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="fusion_memberships")
    position = models.PositiveIntegerField()

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("fusion", "position"), name="one_member_per_position"),)

    def __str__(self) -> str:
        return f"{self.fusion_id}[{self.position}]"


class FusionFit(models.Model):
    """Scores that a fusion's SVM is fitted on: of a stream's own run, or of the run that was trained without one fold."""

    fusion = models.ForeignKey(Fusion, on_delete=models.CASCADE, related_name="fits")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="fusion_fits")
    stream = models.PositiveIntegerField(help_text="Position of the member that it stands for.")
    fold = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("fold", "stream")
        constraints = (models.UniqueConstraint(fields=("fusion", "stream", "fold"), name="one_fit_per_stream_and_fold"),)

    def __str__(self) -> str:
        return f"{self.fusion_id}[{self.stream}] fold {self.fold}"


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


def weights_folder() -> Path:
    """Where weights that were uploaded and fit are kept, for all runs."""
    return Path(settings.DATA_DIR) / "weights"


class WeightsFile(models.Model):
    """A file of pretrained weights that somebody uploaded, and how it fits its backbone. What fits is in `weights_folder()`."""

    backbone = models.CharField(max_length=40)
    name = models.CharField(max_length=255, help_text="As the user's machine called it.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="weights")
    upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="weights")
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    report = models.JSONField(default=dict, blank=True, help_text="loaded, missing, unexpected, shapes, fits; empty until checked.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name
