"""Fusions: how streams become one score. Which streams, see `streams`."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from ml.config.evaluation import FusionConfig
from webapp.datasets.models import Dataset, Split


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
