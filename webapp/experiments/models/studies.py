"""Studies: one experiment over a grid of values."""

from __future__ import annotations

from django.db import models

from ml.config.study import StudyConfig
from webapp.experiments.models.experiment import Experiment
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.runs import Run


class Study(Experiment):
    """One experiment over a grid of values: what is compared, and the splits and seeds it is repeated on.

    Only the grid is stored, and it may grow. Which run stands where follows from the runs' own configs.
    `runs` are those that it launched and older ones that it took over; `fusions` are those that it launched.
    """

    runs = models.ManyToManyField(Run, blank=True)
    fusions = models.ManyToManyField(Fusion, blank=True)

    class Meta(Experiment.Meta):
        default_related_name = "studies"

    @property
    def grid(self) -> StudyConfig:
        return StudyConfig.model_validate(self.config)
