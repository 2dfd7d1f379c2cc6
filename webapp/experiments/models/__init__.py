"""Runs, the points of their curves, evaluations with their protocol, and fusions."""

from webapp.experiments.models.evaluations import Evaluation, VideoScore
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.runs import Run, RunPoint
from webapp.experiments.models.source import OfRunOrFusion, of_run_or_fusion
from webapp.experiments.models.streams import FusionFit, FusionMember
from webapp.experiments.models.studies import Study
from webapp.experiments.models.weights import WeightsFile, weights_folder

__all__ = [
    "Evaluation", "Fusion", "FusionFit", "FusionMember", "OfRunOrFusion", "Run", "RunPoint", "Study", "VideoScore", "WeightsFile",
    "of_run_or_fusion", "weights_folder",
]  # fmt: skip
