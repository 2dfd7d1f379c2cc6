"""Presets that take any optical flow start with the one that the dataset has."""

from ml.config.availability import unavailable
from ml.config.experiment import ExperimentConfig
from ml.config.flow import FlowSpec
from ml.config.presets.small import SMALL
from webapp.datasets.models import FlowCache, Split
from webapp.datasets.services.flow import is_complete
from webapp.experiments.preflight import has_flow


def with_ready_flow(preset: str, config: ExperimentConfig, split: Split | None) -> ExperimentConfig:
    """The config of a preset; if it is one of the small ones, with flow that is extracted where its own is not.

    A paper's preset stays as the paper has it.
    """
    flow = config.data.input.reads_flow
    if preset not in SMALL or split is None or flow is None or has_flow(split, flow):
        return config
    ready = _newest(split)
    return config if ready is None else config.replace(data=config.data.replace(input=config.data.input.replace(flow=ready)))


def _newest(split: Split) -> FlowSpec | None:
    """The complete flow of the dataset that was asked for last, and that new videos can get on this machine."""
    caches = FlowCache.objects.filter(dataset=split.dataset_id).order_by("-pk")
    specs = (FlowSpec.model_validate(cache.spec) for cache in caches if is_complete(cache))
    return next((spec for spec in specs if unavailable(spec.method) is None), None)
