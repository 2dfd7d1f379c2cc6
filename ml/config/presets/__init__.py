"""Named configs that reproduce a row of a paper's table, or run anywhere: a file each paper."""

from ml.config.experiment import Preset
from ml.config.presets.nfmml import METRIC_LEARNING
from ml.config.presets.small import SMALL
from ml.config.presets.tsn import TEMPORAL_SEGMENTS
from ml.config.presets.two_stream import TWO_STREAM

PRESETS: dict[str, Preset] = {**SMALL, **TWO_STREAM, **TEMPORAL_SEGMENTS, **METRIC_LEARNING}
