"""One training run, declared: model + data + training + the protocol it is tested with; and the presets."""

from dataclasses import dataclass
from typing import Any, Literal

from ml.config.data import DataConfig, FlowInput, RGBInput
from ml.config.evaluation import Protocol
from ml.config.flow import Farneback, FlowSpec
from ml.config.models import ModelConfig, TwoStream
from ml.config.schema import Schema, knob
from ml.config.training import TrainingConfig


class ExperimentConfig(Schema):
    """The passport of a run: stored with it, never edited."""

    version: Literal[1] = 1
    model: ModelConfig = knob(TwoStream(), "Model", "The network.")
    data: DataConfig = knob(DataConfig(), "Data", "What it sees.")
    training: TrainingConfig = knob(TrainingConfig(), "Training", "How it learns.")
    evaluation: Protocol = knob(Protocol(), "Test protocol", "How it is tested when training ends.")


@dataclass(frozen=True)
class Preset:
    """A named config: data, not code. `source` says which row of which table it reproduces."""

    title: str
    description: str
    config: ExperimentConfig
    source: str = ""


_DEMO_DATA: dict[str, Any] = {"short_side": 72, "crop_size": 64, "validation_fraction": 0.15}
_DEMO_TRAINING = TrainingConfig(epochs=20, batch_size=32, learning_rate=0.05, milestones=(14, 18), weight_decay=0.01)
_PAPER_SCRATCH = TrainingConfig(epochs=80, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(50, 70), loader_workers=8)
_PAPER_FINE_TUNE = TrainingConfig(epochs=20, steps_per_epoch=1000, batch_size=256, learning_rate=1e-2, milestones=(14,), loader_workers=8)
_PAPER = "Simonyan & Zisserman 2014"

PRESETS: dict[str, Preset] = {
    "cpu_spatial": Preset(
        "Spatial stream, small",
        "Single RGB frames through a ResNet-10; minutes on two CPU cores.",
        ExperimentConfig(
            model=TwoStream(),
            data=DataConfig(input=RGBInput(), **_DEMO_DATA),
            training=_DEMO_TRAINING,
            evaluation=Protocol(frames=5, crops=1),
        ),
    ),
    "cpu_temporal": Preset(
        "Temporal stream, small",
        "Stacks of 5 Farnebäck flow fields through a ResNet-10; minutes on two CPU cores.",
        ExperimentConfig(
            model=TwoStream(),
            data=DataConfig(input=FlowInput(stack_len=5, flow=FlowSpec(method=Farneback())), **_DEMO_DATA),
            training=_DEMO_TRAINING,
            evaluation=Protocol(frames=5, crops=1),
        ),
    ),
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
    "imagenet_spatial": Preset(
        "Spatial stream on ImageNet features",
        "EfficientNet-Lite0 with ImageNet weights, fine-tuned on RGB frames: a strong start for small sets of real video.",
        ExperimentConfig(
            model=TwoStream(backbone="efficientnet_lite0", pretrained="imagenet", dropout=0.5),
            data=DataConfig(short_side=144, crop_size=128),
            training=TrainingConfig(epochs=8, batch_size=16, learning_rate=0.005, milestones=(6,)),
            evaluation=Protocol(frames=5, crops=1),
        ),
    ),
}
