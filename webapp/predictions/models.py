"""A prediction: one uploaded video, one run or fusion, the labels it got, and what the user made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from webapp.datasets.models import Dataset, Label, Split, Upload, Video
from webapp.experiments.heads import Head
from webapp.experiments.models import Fusion, Run

if TYPE_CHECKING:
    from webapp.jobs.models import Job


class Prediction(models.Model):
    """`result`: {"top": [[class, share]…], "streams": [{"name", "modality", "top"}…], "protocol", "video": {…}, "seconds": {"total"…}}."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="predictions")
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT, related_name="predictions")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="predictions")
    fusion = models.ForeignKey(Fusion, null=True, blank=True, on_delete=models.CASCADE, related_name="predictions")
    other_split = models.ForeignKey(
        Split,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="predictions",
        help_text="Of a further dataset that the run has learnt, where its classes are asked for; empty: its own.",
    )
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    result = models.JSONField(default=dict, blank=True)
    confirmed_label = models.ForeignKey(Label, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sent_as = models.ForeignKey(Video, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(run__isnull=False) ^ models.Q(fusion__isnull=False), name="prediction_by_run_or_fusion"
            ),
        )

    def __str__(self) -> str:
        return self.upload.name

    @property
    def source(self) -> Run | Fusion:
        """Who predicts."""
        source = self.run or self.fusion
        assert source is not None  # the constraint above
        return source

    @property
    def head(self) -> Head:
        return Head(self.source, self.other_split)

    @property
    def dataset(self) -> Dataset:
        """Whose classes are named."""
        return self.head.dataset

    @property
    def folder(self) -> Path:
        """Holds `proxy.mp4` and `poster.jpg`."""
        return Path(settings.DATA_DIR) / "predictions" / str(int(self.pk))
