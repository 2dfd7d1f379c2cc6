"""Studies of the papers, ready to start: data, not code."""

from dataclasses import dataclass

from ml.config.evaluation import FusionConfig
from ml.config.presets import PRESETS
from ml.config.study import SPLIT, Axis, StudyConfig


@dataclass(frozen=True)
class StudyPreset:
    """A named study. `published` is the table of `ml.config.published` whose rows it reproduces."""

    title: str
    description: str
    config: StudyConfig
    published: str


SPATIAL_SCRATCH = PRESETS["paper_spatial_scratch"].config
SPATIAL, TEMPORAL = PRESETS["paper_spatial_last_layer"].config, PRESETS["paper_temporal"].config
DROPOUT = Axis(field="model.dropout", values=(0.5, 0.9))
FUSIONS = (FusionConfig(method="average"), FusionConfig(method="svm", normalize="l2"))

STUDIES: dict[str, StudyPreset] = {
    "spatial_scratch": StudyPreset(
        "Spatial ConvNet from scratch: dropout",
        "Rows 1 of Table 1a.",
        StudyConfig(streams=(SPATIAL_SCRATCH,), axes=(DROPOUT,)),
        "two_stream_1a",
    ),
    "spatial_pretrained": StudyPreset(
        "Pre-trained spatial ConvNet: trained layers and dropout",
        "Rows 2 and 3 of Table 1a. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL,), axes=(Axis(field="model.trainable", values=("all", "last_layer")), DROPOUT)),
        "two_stream_1a",
    ),
    "temporal_length": StudyPreset(
        "Temporal ConvNet: stack length",
        "L = 1, 5 and 10 with mean subtraction, Table 1b.",
        StudyConfig(streams=(TEMPORAL,), axes=(Axis(field="data.input.stack_len", values=(1, 5, 10)),)),
        "two_stream_1b",
    ),
    "temporal_mean": StudyPreset(
        "Temporal ConvNet: mean subtraction",
        "L = 10 without and with it, Table 1b.",
        StudyConfig(streams=(TEMPORAL,), axes=(Axis(field="data.input.mean_subtraction", values=(False, True)),)),
        "two_stream_1b",
    ),
    "two_stream": StudyPreset(
        "Two-stream network over three splits",
        "Both streams, fused by averaging and by SVM on each official split, Table 4. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=FUSIONS, axes=(Axis(field=SPLIT, values=("1", "2", "3")),)),
        "two_stream_4",
    ),
}
