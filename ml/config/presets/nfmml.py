"""Zhi et al., "A Deep Metric Learning Based Video Classification Method", JEIT 2018, section 3.1, for UCF101.

An epoch here is 100 of their iterations. Taken as printed, though unusual: the weight decay of 0.01 (TSN: 0.0005), drops every 1,000 of
8,000 iterations for the spatial stream, vertical flips. Their readings where the paper leaves a choice: docs/decisions/010-nfmml.md.
"""

from ml.config.data import DataConfig
from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.models import NFMML
from ml.config.presets.tsn import TSN_FLOW
from ml.config.training import TrainingConfig

_SOURCE = "Zhi et al. 2018, Table 2, λ2 = 0.2: UCF101, 93.8 % with the other stream"
_DATA = DataConfig(num_segments=5, crop_policy="corners", vertical_flip=True, validation_fraction=0)
_TRAINING = TrainingConfig(
    epochs=80,
    steps_per_epoch=100,
    batch_size=64,
    sampling="balanced",
    learning_rate=1e-4,
    milestones=(10, 20, 30, 40, 50, 60, 70),
    weight_decay=1e-2,
    clip_norm=40,
    loader_workers=8,
)
_NO_AUGMENTATION = Protocol(frames=5, crops=1, aggregation="logits", sampling="middles")

METRIC_LEARNING: dict[str, Preset] = {
    "nfmml_spatial": Preset(
        "NFMML, spatial stream",
        "BN-Inception with ImageNet weights on 5 segments, exponential margins, λ2 = 0.2, 8,000 iterations of 64 videos.",
        ExperimentConfig(
            model=NFMML(pretrained="imagenet", partial_norm=True, dropout=0.8), data=_DATA, training=_TRAINING, evaluation=_NO_AUGMENTATION
        ),
        source=_SOURCE,
    ),
    "nfmml_temporal": Preset(
        "NFMML, temporal stream",
        "BN-Inception with widened ImageNet weights on 5 segments of 5 flow fields, exponential margins, λ2 = 0.2, 20,000 iterations.",
        ExperimentConfig(
            model=NFMML(pretrained="imagenet", partial_norm=True, dropout=0.7),
            data=_DATA.replace(input=TSN_FLOW),
            training=_TRAINING.replace(epochs=200, learning_rate=1e-3, milestones=(50, 100, 150)),
            evaluation=_NO_AUGMENTATION,
        ),
        source=_SOURCE,
    ),
}
