"""Fusions: how streams become one score. Which streams, see `streams`."""

from __future__ import annotations

from django.db import models

from ml.config.evaluation import FusionConfig
from webapp.datasets.models import Split
from webapp.experiments.models.experiment import Experiment


class Fusion(Experiment):
    """Streams fused into one score: members are evaluations of the same videos under the same classes."""

    split = models.ForeignKey(Split, on_delete=models.CASCADE)
    subset = models.CharField(max_length=10, default="test")

    class Meta(Experiment.Meta):
        default_related_name = "fusions"

    @property
    def fusion(self) -> FusionConfig:
        return FusionConfig.model_validate(self.config)

    @property
    def gives_probabilities(self) -> bool:
        """An SVM's scores are margins: their softmax keeps the order of the classes, and is no probability."""
        return self.fusion.method != "svm"
