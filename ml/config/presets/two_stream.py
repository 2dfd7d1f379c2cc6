"""Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014: rows of Tables 1 to 3."""

from typing import Any

from ml.config.data import DataConfig, FlowInput, RGBStackInput
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.flow import Brox, FlowSpec
from ml.config.models import SlowFusion, TwoStream
from ml.config.training import TrainingConfig

_PAPER_SCRATCH = TrainingConfig(epochs=80, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(50, 70), loader_workers=8)
_PAPER_FINE_TUNE = TrainingConfig(epochs=20, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(14,), loader_workers=8)
_PAPER = "Simonyan & Zisserman 2014"


def _spatial(title: str, description: str, table_row: int, accuracy: str, training: TrainingConfig, **model: Any) -> Preset:
    """A row of Table 1a: one RGB frame, colours shaken."""
    config = ExperimentConfig(
        model=TwoStream(backbone="cnn_m_2048", **model), data=DataConfig(color_jitter=0.1, validation_fraction=0), training=training
    )
    return Preset(title, description, config, f"{_PAPER}, Table 1a, row {table_row}: UCF101 split 1, {accuracy}")


_FLOW = FlowSpec(method=Brox(), encoding="range")
_ABOUT_FLOW = "The flow is that of Brox et al. (2004); later work takes TV-L1, on a CPU about three times as fast with ε = 0.05."


def _temporal(title: str, description: str, source: str, training: TrainingConfig = _PAPER_SCRATCH, **flow: Any) -> Preset:
    """Stacked flow; in Table 1b dropout is 0.9 everywhere."""
    config = ExperimentConfig(
        model=TwoStream(backbone="cnn_m_2048", dropout=0.9),
        data=DataConfig(input=FlowInput(flow=_FLOW, **flow), validation_fraction=0),
        training=training,
    )
    return Preset(title, f"{description} {_ABOUT_FLOW}", config, f"{_PAPER}, {source}")


_NEEDS_WEIGHTS = "Needs ImageNet weights of CNN-M-2048."

TWO_STREAM: dict[str, Preset] = {
    "paper_spatial_scratch": _spatial(
        "Spatial ConvNet from scratch", "CNN-M-2048 on RGB, dropout 0.9, 80,000 iterations of 256 videos.",
        1, "52.3 %", _PAPER_SCRATCH, dropout=0.9,
    ),
    "paper_spatial_scratch_low_dropout": _spatial(
        "Spatial ConvNet from scratch, dropout 0.5", "CNN-M-2048 on RGB, 80,000 iterations of 256 videos.",
        1, "42.5 %", _PAPER_SCRATCH, dropout=0.5,
    ),
    "paper_spatial_fine_tune": _spatial(
        "Spatial ConvNet, fine-tuned", f"Pre-trained CNN-M-2048, all layers trained, dropout 0.9, 20,000 iterations. {_NEEDS_WEIGHTS}",
        2, "72.8 %", _PAPER_FINE_TUNE, dropout=0.9, pretrained="imagenet",
    ),
    "paper_spatial_fine_tune_low_dropout": _spatial(
        "Spatial ConvNet, fine-tuned, dropout 0.5", f"Pre-trained CNN-M-2048, all layers trained, 20,000 iterations. {_NEEDS_WEIGHTS}",
        2, "70.8 %", _PAPER_FINE_TUNE, dropout=0.5, pretrained="imagenet",
    ),
    "paper_spatial_last_layer": _spatial(
        "Spatial ConvNet, last layer",
        f"Pre-trained CNN-M-2048 with only the classifier trained, dropout 0.5, 20,000 iterations. {_NEEDS_WEIGHTS}",
        3, "72.7 %", _PAPER_FINE_TUNE, dropout=0.5, pretrained="imagenet", trainable="last_layer",
    ),
    "paper_spatial_last_layer_high_dropout": _spatial(
        "Spatial ConvNet, last layer, dropout 0.9",
        f"Pre-trained CNN-M-2048 with only the classifier trained, 20,000 iterations. {_NEEDS_WEIGHTS}",
        3, "59.9 %", _PAPER_FINE_TUNE, dropout=0.9, pretrained="imagenet", trainable="last_layer",
    ),
    "paper_slow_fusion": Preset(
        "Slow fusion of 11 RGB frames",
        "The layers of CNN-M-2048 on 11 frames, fused over time in the first three; from scratch, dropout 0.9, 80,000 iterations.",
        ExperimentConfig(
            model=SlowFusion(), data=DataConfig(input=RGBStackInput(), color_jitter=0.1, validation_fraction=0), training=_PAPER_SCRATCH,
        ),
        f"{_PAPER}, section 5: UCF101 split 1, 56.4 %",
    ),
    "paper_temporal": _temporal(
        "Temporal ConvNet, L = 10",
        "CNN-M-2048 on stacks of 10 flow fields with mean subtraction, dropout 0.9, from scratch, 80,000 iterations.",
        "Table 1b, row 3: UCF101 split 1, 81.0 %", stack_len=10,
    ),
    "paper_temporal_single": _temporal(
        "Temporal ConvNet, L = 1", "CNN-M-2048 on single flow fields with mean subtraction.",
        "Table 1b, row 1: UCF101 split 1, 73.9 %", stack_len=1,
    ),
    "paper_temporal_5": _temporal(
        "Temporal ConvNet, L = 5", "CNN-M-2048 on stacks of 5 flow fields with mean subtraction.",
        "Table 1b, row 2: UCF101 split 1, 80.4 %", stack_len=5,
    ),
    "paper_temporal_no_mean": _temporal(
        "Temporal ConvNet without mean subtraction", "CNN-M-2048 on stacks of 10 flow fields as they are.",
        "Table 1b, row 3: UCF101 split 1, 79.9 %", stack_len=10, mean_subtraction=False,
    ),
    "paper_temporal_trajectory": _temporal(
        "Temporal ConvNet on trajectories", "CNN-M-2048 on 10 displacements along the path of each point.",
        "Table 1b, row 4: UCF101 split 1, 80.2 %", stack_len=10, representation="trajectory",
    ),
    "paper_temporal_trajectory_no_mean": _temporal(
        "Temporal ConvNet on trajectories without mean subtraction", "CNN-M-2048 on 10 displacements along the path of each point.",
        "Table 1b, row 4: UCF101 split 1, 79.6 %", stack_len=10, representation="trajectory", mean_subtraction=False,
    ),
    "paper_temporal_bidirectional": _temporal(
        "Temporal ConvNet, bi-directional", "CNN-M-2048 on 5 flow fields onward and 5 back from the same frame.",
        "Table 1b, row 5: UCF101 split 1, 81.2 %", stack_len=10, bidirectional=True,
    ),
    "paper_temporal_multi_task": _temporal(
        "Temporal ConvNet, multi-task",
        "CNN-M-2048 with a last layer for each dataset. Take HMDB51 as the dataset and UCF101 as a further one, or the other way round.",
        "Table 2: HMDB51 split 1, 55.4 %; section 5: UCF101 split 1 beside all of HMDB51, 81.5 %", stack_len=10,
    ),
    "paper_temporal_from_other": _temporal(
        "Temporal ConvNet, fine-tuned from another dataset",
        "CNN-M-2048 that starts from the weights of a run on UCF101, 20,000 iterations. Choose that run under “Start from a run”.",
        "Table 2: HMDB51 split 1, 49.0 %", _PAPER_FINE_TUNE, stack_len=10,
    ),
}  # fmt: skip
