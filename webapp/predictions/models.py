"""A prediction: one uploaded video, one run or fusion, the labels it got, and what the user made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from webapp.datasets.models import Label, Upload, Video
from webapp.experiments.heads import Head
from webapp.experiments.models import OfRunOrFusion, of_run_or_fusion

if TYPE_CHECKING:
    from webapp.jobs.models import Job


class Prediction(OfRunOrFusion):
    """`result`: {"top": [[class, share]…], "streams": [{"name", "modality", "top"}…], "protocol", "video": {…}, "seconds": {"total"…}}."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    upload = models.ForeignKey(Upload, on_delete=models.PROTECT)
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    result = models.JSONField(default=dict, blank=True)
    confirmed_label = models.ForeignKey(Label, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sent_as = models.ForeignKey(Video, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        default_related_name = "predictions"
        constraints = (of_run_or_fusion("prediction_by_run_or_fusion"),)

    def __str__(self) -> str:
        return self.upload.name

    @property
    def head(self) -> Head:
        return Head(self.source, self.other_split)

    @property
    def is_corrected(self) -> bool:
        """Whether the user's label is another one than the best guess."""
        guesses = self.result.get("top", [])
        return self.confirmed_label is not None and bool(guesses) and self.confirmed_label.name != guesses[0][0]

    @property
    def folder(self) -> Path:
        """Holds `proxy.mp4` and `poster.jpg`."""
        return Path(settings.DATA_DIR) / "predictions" / str(int(self.pk))
