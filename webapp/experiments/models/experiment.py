"""What runs, fusions and studies have in common."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from webapp.datasets.models import Dataset


class Experiment(models.Model):
    """What somebody had computed on a dataset, by a config that says how."""

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE)
    config = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name
