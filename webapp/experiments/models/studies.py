"""Studies: one experiment over a grid of values."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ml.config.study import StudyConfig
from webapp.datasets.models import Dataset
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.runs import Run


class Study(models.Model):
    """One experiment over a grid of values: what is compared, and the splits and seeds it is repeated on.

    Only the grid is stored, and it may grow. Which run stands where follows from the runs' own configs.
    `runs` are those that it launched and older ones that it took over; `fusions` are those that it launched.
    """

    name = models.CharField(max_length=120)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="studies")
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="studies")
    config = models.JSONField()
    runs = models.ManyToManyField(Run, related_name="studies", blank=True)
    fusions = models.ManyToManyField(Fusion, related_name="studies", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.name

    @property
    def grid(self) -> StudyConfig:
        return StudyConfig.model_validate(self.config)
