"""Runs, the points of their curves, evaluations with their protocol, and fusions."""

from webapp.experiments.models.evaluations import Evaluation, VideoScore
from webapp.experiments.models.fusions import Fusion
from webapp.experiments.models.runs import Run, RunPoint
from webapp.experiments.models.streams import FusionFit, FusionMember
from webapp.experiments.models.studies import Study
from webapp.experiments.models.weights import WeightsFile, weights_folder

__all__ = ["Evaluation", "Fusion", "FusionFit", "FusionMember", "Run", "RunPoint", "Study", "VideoScore", "WeightsFile", "weights_folder"]
