"""Runs that fit a machine without a GPU: minutes, for the demo and for small sets of video."""

from typing import Any

from ml.config.data import DataConfig, FlowInput, RGBDiffInput, RGBInput
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.flow import Farneback, FlowSpec
from ml.config.models import NFMML, TSN, TwoStream
from ml.config.training import TrainingConfig

_DEMO_DATA: dict[str, Any] = {"short_side": 72, "crop_size": 64, "validation_fraction": 0.15}
_DEMO_TRAINING = TrainingConfig(epochs=20, batch_size=32, learning_rate=0.01, milestones=(14, 18), weight_decay=0.01)

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
        "Stacks of 5 flow fields through a ResNet-10; minutes on two CPU cores.",
        ExperimentConfig(
            model=TwoStream(),
            data=DataConfig(input=FlowInput(stack_len=5, flow=FlowSpec(method=Farneback())), **_DEMO_DATA),
            training=_DEMO_TRAINING,
            evaluation=Protocol(frames=5, crops=1),
        ),
    ),
    "cpu_tsn": Preset(
        "TSN, small",
        "The same ResNet-10 on RGB frames of 3 segments, their scores averaged; minutes on two CPU cores.",
        ExperimentConfig(
            model=TSN(backbone="resnet10t", dropout=0.5),
            data=DataConfig(num_segments=3, **_DEMO_DATA),
            training=_DEMO_TRAINING.replace(batch_size=16),
            evaluation=Protocol(frames=5, crops=1, aggregation="logits"),
        ),
    ),
    "cpu_tsn_rgb_diff": Preset(
        "TSN on RGB differences, small",
        "Five differences of consecutive frames in each of 3 segments through a ResNet-10: motion without optical flow, in minutes.",
        ExperimentConfig(
            model=TSN(backbone="resnet10t", dropout=0.5),
            data=DataConfig(input=RGBDiffInput(), num_segments=3, **_DEMO_DATA),
            training=_DEMO_TRAINING.replace(batch_size=16),
            evaluation=Protocol(frames=5, crops=1, aggregation="logits"),
        ),
    ),
    "cpu_nfmml": Preset(
        "NFMML, small",
        "RGB differences of 3 segments through a ResNet-10 with a metric branch of length 1, exponential margins; in minutes.",
        ExperimentConfig(
            model=NFMML(backbone="resnet10t", dropout=0.2, embedding_size=128, normalize=True),
            data=DataConfig(input=RGBDiffInput(), num_segments=3, **_DEMO_DATA),
            training=_DEMO_TRAINING.replace(batch_size=18, sampling="balanced", learning_rate=0.02, clip_norm=40),
            evaluation=Protocol(frames=5, crops=1, aggregation="logits"),
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
