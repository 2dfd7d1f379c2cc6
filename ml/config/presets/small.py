"""Runs that fit a machine without a GPU: minutes, for the demo and for small sets of video."""

from typing import Any

from ml.config.data import DataConfig, FlowInput, RGBInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.flow import Farneback, FlowSpec
from ml.config.models import TwoStream
from ml.config.training import TrainingConfig

_DEMO_DATA: dict[str, Any] = {"short_side": 72, "crop_size": 64, "validation_fraction": 0.15}
_DEMO_TRAINING = TrainingConfig(epochs=20, batch_size=32, learning_rate=0.05, milestones=(14, 18), weight_decay=0.01)

SMALL: dict[str, Preset] = {
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
