"""Named configs that reproduce a row of a paper's table, or run anywhere: a file each paper."""

from collections.abc import Mapping
from dataclasses import dataclass

from ml.config.experiment import Preset
from ml.config.presets.nfmml import METRIC_LEARNING
from ml.config.presets.small import SMALL
from ml.config.presets.tsn import TEMPORAL_SEGMENTS
from ml.config.presets.two_stream import TWO_STREAM


@dataclass(frozen=True)
class Paper:
    """What a paper trained."""

    title: str
    citation: str
    presets: Mapping[str, Preset]


PAPERS = (
    Paper("Two-stream networks", "Simonyan & Zisserman 2014", TWO_STREAM),
    Paper("Temporal segment networks", "Wang et al. 2016", TEMPORAL_SEGMENTS),
    Paper("NFMML: segments and metric learning", "Zhi et al. 2018", METRIC_LEARNING),
)
"""The shelves of the gallery."""

PRESETS: dict[str, Preset] = {**SMALL, **{name: preset for paper in PAPERS for name, preset in paper.presets.items()}}
