"""Pretrained weights that somebody uploaded, or had fetched from their publisher."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models

from webapp.datasets.models import Upload

if TYPE_CHECKING:
    from webapp.jobs.models import Job


def weights_folder() -> Path:
    """Where weights that were uploaded or fetched and fit are kept, for all runs."""
    return Path(settings.DATA_DIR) / "weights"


class WeightsFile(models.Model):
    """A file of pretrained weights that somebody brought in, and how it fits its backbone. What fits is in `weights_folder()`."""

    backbone = models.CharField(max_length=40)
    name = models.CharField(max_length=255, help_text="As the user's machine called it, or its publisher.")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="weights")
    upload = models.ForeignKey(Upload, null=True, blank=True, on_delete=models.PROTECT, related_name="weights")
    is_fetched = models.BooleanField(default=False, help_text="From its publisher; there is no upload then.")
    job: models.ForeignKey[Job, Job] = models.ForeignKey("jobs.Job", on_delete=models.PROTECT, related_name="+")
    report = models.JSONField(default=dict, blank=True, help_text="loaded, missing, unexpected, shapes, fits; empty until checked.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name
