"""The evaluations that a fusion is made of: its streams, and what its SVM is fitted on."""

from __future__ import annotations

from django.db import models

from webapp.experiments.models.evaluations import Evaluation
from webapp.experiments.models.fusions import Fusion


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
