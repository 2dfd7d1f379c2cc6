"""What a run or a fusion says: of a subset's videos, or of one that was sent."""

from __future__ import annotations

from django.db import models

from webapp.datasets.models import Dataset, Split
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.runs import Run


class OfRunOrFusion(models.Model):
    """Exactly one of the two is its source: say so with `of_run_or_fusion` among the constraints."""

    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE)
    fusion = models.ForeignKey(Fusion, null=True, blank=True, on_delete=models.CASCADE)
    other_split = models.ForeignKey(
        Split,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        help_text="Of a further dataset that the run has learnt, where it is asked about that one; empty: its own.",
    )

    class Meta:
        abstract = True

    @property
    def source(self) -> Run | Fusion:
        """Who says it."""
        source = self.run or self.fusion
        assert source is not None  # the constraint says so
        return source

    @property
    def split(self) -> Split:
        """Whose videos and classes are meant."""
        return self.other_split or self.source.split

    @property
    def dataset(self) -> Dataset:
        return self.other_split.dataset if self.other_split else self.source.dataset


def of_run_or_fusion(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=models.Q(run__isnull=False) ^ models.Q(fusion__isnull=False), name=name)
