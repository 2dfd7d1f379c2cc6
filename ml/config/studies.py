"""Studies of the papers, ready to start: data, not code."""

from dataclasses import dataclass

from pydantic import JsonValue

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.models import TSN
from ml.config.presets import PRESETS
from ml.config.study import SPLIT, Axis, StudyConfig, with_value


@dataclass(frozen=True)
class StudyPreset:
    """A named study. `published` is the table of `ml.config.published` whose rows it reproduces.

    With `is_multi_task` the temporal streams learn further datasets, which whoever launches it chooses.
    """

    title: str
    description: str
    config: StudyConfig
    published: str
    is_multi_task: bool = False


SPATIAL_SCRATCH = PRESETS["paper_spatial_scratch"].config
SLOW_FUSION = PRESETS["paper_slow_fusion"].config
SPATIAL, TEMPORAL = PRESETS["paper_spatial_last_layer"].config, PRESETS["paper_temporal"].config
SEGMENTS = (PRESETS["tsn_rgb"].config, PRESETS["tsn_flow"].config, PRESETS["tsn_rgb_diff"].config)
METRIC_LEARNING = (PRESETS["nfmml_spatial"].config, PRESETS["nfmml_temporal"].config)
CLASSIFYING = tuple(with_value(config, "model.metric_weight", 0.0) for config in METRIC_LEARNING)
BASELINE = tuple(
    config.replace(model=TSN(pretrained="imagenet", partial_norm=True, dropout=config.model.dropout)) for config in METRIC_LEARNING
)
DROPOUT = Axis(field="model.dropout", values=(0.5, 0.9))
AVERAGED = (FusionConfig(method="average"),)
AVERAGED_AND_SVM = (*AVERAGED, FusionConfig(method="svm", normalize="l2", fit="training_scores"))
AVERAGED_AND_HELD_OUT = (*AVERAGED, FusionConfig(method="svm", normalize="l2", fit="held_out_folds", folds=5))
THREE_SPLITS = (Axis(field=SPLIT, values=("1", "2", "3")),)


def _temporal(field: str, *values: JsonValue, against: Axis | None = None) -> StudyConfig:
    return StudyConfig(streams=(TEMPORAL,), axes=(Axis(field=field, values=values), *([against] if against else [])))


def _both(streams: tuple[ExperimentConfig, ...], field: str, *values: JsonValue) -> StudyConfig:
    return StudyConfig(streams=streams, fusions=AVERAGED, axes=(Axis(field=field, values=values),))


STUDIES: dict[str, StudyPreset] = {
    "spatial_scratch": StudyPreset(
        "Spatial ConvNet from scratch: dropout",
        "Row 1 of Table 1a.",
        StudyConfig(streams=(SPATIAL_SCRATCH,), axes=(DROPOUT,)),
        "two_stream_1a",
    ),
    "spatial_pretrained": StudyPreset(
        "Pre-trained spatial ConvNet: trained layers and dropout",
        "Rows 2 and 3 of Table 1a. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL,), axes=(Axis(field="model.trainable", values=("all", "last_layer")), DROPOUT)),
        "two_stream_1a",
    ),
    "frames_from_scratch": StudyPreset(
        "From scratch: one RGB frame, or slow fusion of eleven",
        "A row of Table 1a, and the baseline of section 5.",
        StudyConfig(streams=(SPATIAL_SCRATCH, SLOW_FUSION)),
        "two_stream_1a",
    ),
    "temporal_length": StudyPreset(
        "Temporal ConvNet: stack length",
        "L = 1, 5 and 10 with mean subtraction, Table 1b.",
        _temporal("data.input.stack_len", 1, 5, 10),
        "two_stream_1b",
    ),
    "temporal_stacking": StudyPreset(
        "Temporal ConvNet: stacking and mean subtraction",
        "Displacements in place and along trajectories, L = 10, without and with mean subtraction, Table 1b.",
        _temporal(
            "data.input.representation", "flow", "trajectory", against=Axis(field="data.input.mean_subtraction", values=(False, True))
        ),
        "two_stream_1b",
    ),
    "temporal_directions": StudyPreset(
        "Temporal ConvNet: one direction or both",
        "L = 10 with mean subtraction, Table 1b.",
        _temporal("data.input.bidirectional", False, True),
        "two_stream_1b",
    ),
    "two_stream_directions": StudyPreset(
        "Two-stream network: flow of one direction or both",
        "Both streams fused by averaging, the first rows of Table 3; the others are multi-task. Needs ImageNet weights of CNN-M-2048.",
        _both((SPATIAL, TEMPORAL), "data.input.bidirectional", False, True),
        "two_stream_3",
    ),
    "two_stream_multi_task": StudyPreset(
        "Two-stream network, temporal ConvNet multi-task",
        "The temporal stream learns a further dataset, HMDB51 beside UCF101 or the other way round; fused by averaging and by an SVM on "
        "training scores. Split 1 is in the last rows of Table 3, three splits are Table 4. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=AVERAGED_AND_SVM, axes=THREE_SPLITS),
        "two_stream_4",
        is_multi_task=True,
    ),
    "two_stream": StudyPreset(
        "Two-stream network over three splits",
        "Both streams, fused by averaging and by an SVM fitted on training scores, on each official split, Table 4; the paper does not say "
        "on which scores. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=AVERAGED_AND_SVM, axes=THREE_SPLITS),
        "two_stream_4",
    ),
    "two_stream_held_out": StudyPreset(
        "Two-stream network over three splits, SVM on held-out folds",
        "As Table 4, with the SVM fitted on scores of training videos by runs without their fold: each stream is trained five times more "
        "on every split. Needs ImageNet weights of CNN-M-2048.",
        StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=AVERAGED_AND_HELD_OUT, axes=THREE_SPLITS),
        "two_stream_4",
    ),
    "tsn_modalities": StudyPreset(
        "TSN: input modalities",
        "RGB, optical flow and RGB difference on one segment, Table 2. Needs ImageNet weights of BN-Inception.",
        StudyConfig(streams=tuple(with_value(config, "data.num_segments", 1) for config in SEGMENTS)),
        "tsn_2",
    ),
    "tsn_consensus": StudyPreset(
        "TSN: segmental consensus",
        "Average, maximum and learnt weights in both streams, Table 3. Needs ImageNet weights of BN-Inception.",
        StudyConfig(
            streams=SEGMENTS[:2],
            fusions=(FusionConfig(method="weighted", normalize="none", weights=(1.0, 1.5)),),
            axes=(Axis(field="model.consensus", values=("average", "max", "weighted")),),
        ),
        "tsn_3",
    ),
    "nfmml_baseline": StudyPreset(
        "NFMML: TSN, what it is compared with",
        "TSN on the segments and with the training of NFMML: the rows without pooling of Table 1, the first of Table 4. Needs ImageNet "
        "weights of BN-Inception.",
        StudyConfig(streams=BASELINE, fusions=AVERAGED),
        "nfmml_4",
    ),
    "nfmml_pooling": StudyPreset(
        "NFMML: temporal pooling",
        "Average, maximum and convolution without metric learning; the average is in Table 1. Needs ImageNet weights of BN-Inception.",
        _both(CLASSIFYING, "model.pooling", "average", "max", "convolution"),
        "nfmml_1",
    ),
    "nfmml_weight": StudyPreset(
        "NFMML: weight λ2 of the metric loss",
        "λ2 from 0 to 0.4, Table 2: from 0.3 on the paper’s network did not converge. Needs ImageNet weights of BN-Inception.",
        _both(METRIC_LEARNING, "model.metric_weight", 0.0, 0.1, 0.2, 0.3, 0.4),
        "nfmml_2",
    ),
    "nfmml_margin": StudyPreset(
        "NFMML: margin function",
        "Ratio, logarithm and exponential, Table 3. Needs ImageNet weights of BN-Inception.",
        _both(METRIC_LEARNING, "model.loss.margin", "ratio", "log", "exp"),
        "nfmml_3",
    ),
    "nfmml_parts": StudyPreset(
        "NFMML: without and with metric learning",
        "Rows 2 and 3 of Table 4; the first is a TSN. Needs ImageNet weights of BN-Inception.",
        _both(METRIC_LEARNING, "model.metric_weight", 0.0, 0.2),
        "nfmml_4",
    ),
    "nfmml_segments": StudyPreset(
        "NFMML: segments K",
        "K = 3, 5 and 7; the paper has 5. Needs ImageNet weights of BN-Inception.",
        _both(METRIC_LEARNING, "data.num_segments", 3, 5, 7),
        "nfmml_5",
    ),
}
