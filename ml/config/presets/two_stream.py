"""Simonyan & Zisserman, "Two-Stream Convolutional Networks for Action Recognition in Videos", NIPS 2014: rows of Table 1."""

from ml.config.data import DataConfig, FlowInput
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.models import TwoStream
from ml.config.training import TrainingConfig

_PAPER_SCRATCH = TrainingConfig(epochs=80, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(50, 70), loader_workers=8)
_PAPER_FINE_TUNE = TrainingConfig(epochs=20, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(14,), loader_workers=8)
_PAPER = "Simonyan & Zisserman 2014"

TWO_STREAM: dict[str, Preset] = {
    "paper_spatial_scratch": Preset(
        "Spatial ConvNet from scratch",
        "CNN-M-2048 on RGB, dropout 0.9, 80,000 iterations of 256 videos.",
        ExperimentConfig(
            model=TwoStream(backbone="cnn_m_2048", dropout=0.9),
            data=DataConfig(color_jitter=0.1, validation_fraction=0),
            training=_PAPER_SCRATCH,
        ),
        source=f"{_PAPER}, Table 1a, row 1: UCF101 split 1, 52.3 %",
    ),
    "paper_spatial_last_layer": Preset(
        "Spatial ConvNet, last layer",
        "Pre-trained CNN-M-2048 with only the classifier trained, dropout 0.5, 20,000 iterations. Needs ImageNet weights of CNN-M-2048.",
        ExperimentConfig(
            model=TwoStream(backbone="cnn_m_2048", dropout=0.5, pretrained="imagenet", trainable="last_layer"),
            data=DataConfig(color_jitter=0.1, validation_fraction=0),
            training=_PAPER_FINE_TUNE,
        ),
        source=f"{_PAPER}, Table 1a, row 3: UCF101 split 1, 72.7 %",
    ),
    "paper_temporal": Preset(
        "Temporal ConvNet, L = 10",
        "CNN-M-2048 on stacks of 10 flow fields with mean subtraction, dropout 0.9, from scratch, 80,000 iterations.",
        ExperimentConfig(
            model=TwoStream(backbone="cnn_m_2048", dropout=0.9),
            data=DataConfig(input=FlowInput(stack_len=10), validation_fraction=0),
            training=_PAPER_SCRATCH,
        ),
        source=f"{_PAPER}, Table 1b, row 3: UCF101 split 1, 81.0 %",
    ),
}
