"""The systems that can be trained: one schema each, joined by `kind`."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ml.config.losses import LiftedStructure, MetricLoss
from ml.config.schema import Schema, knob

Backbone = Literal["cnn_m_2048", "bn_inception", "vgg16", "resnet10t", "resnet18", "resnet50", "efficientnet_lite0"]
Pretrained = Literal["none", "imagenet"]

_WEIGHTS = ("Initial weights", "Start from scratch, or from ImageNet weights where this machine has them.")
_PARTIAL_NORM = (
    "Partial batch normalisation",
    "Keep statistics and weights of all batch normalisations but the first as they were given; for pre-trained networks.",
)


class System(Schema):
    """What is asked of every system, whatever its knobs; one that differs says so. Each has a `backbone` and its `pretrained` weights."""

    sees_clips: ClassVar[bool] = False
    """Its input is a stack of RGB frames, and nothing else."""
    sees_segments: ClassVar[bool] = False
    """It takes K snippets of a video, not one alone."""
    compares_videos: ClassVar[bool] = False
    """Its loss is of the pairs of a batch: whole, class-balanced, of one dataset."""

    @property
    def averages_segments(self) -> bool:
        """Whether a video's scores are the mean of those of its snippets, each seen alone."""
        return True


class TwoStream(System):
    """One stream of a two-stream network (Simonyan & Zisserman, NIPS 2014): spatial on RGB, temporal on stacked flow."""

    kind: Literal["two_stream"] = "two_stream"
    backbone: Backbone = knob("resnet10t", "Backbone", "The convolutional network of the stream; CNN-M-2048 is the paper's.")
    pretrained: Pretrained = knob("none", *_WEIGHTS)
    trainable: Literal["all", "last_layer"] = knob(
        "all", "Trained layers", "Fine-tune every layer, or only the last one on frozen features."
    )
    dropout: float = knob(0.5, "Dropout", "Share of the activations dropped before the classifier (the paper: 0.5 or 0.9).", ge=0, lt=1)


class SlowFusion(System):
    """A ConvNet on a stack of RGB frames that fuses time layer by layer (Karpathy et al., CVPR 2014): the temporal stream's baseline."""

    sees_clips: ClassVar[bool] = True
    kind: Literal["slow_fusion"] = "slow_fusion"
    backbone: Literal["cnn_m_2048"] = "cnn_m_2048"
    pretrained: Literal["none"] = "none"
    dropout: float = knob(0.9, "Dropout", "Share of the activations dropped before the classifier.", ge=0, lt=1)


class TSN(System):
    """One stream of a temporal segment network (Wang et al., ECCV 2016): K snippets a video, one consensus."""

    sees_segments: ClassVar[bool] = True
    kind: Literal["tsn"] = "tsn"
    backbone: Backbone = knob("bn_inception", "Backbone", "The network that all segments share; BN-Inception is the paper's.")
    pretrained: Pretrained = knob("none", *_WEIGHTS)
    consensus: Literal["average", "max", "weighted"] = knob(
        "average", "Consensus", "How the scores of the segments become those of the video: average, maximum, or learnt weights."
    )
    partial_norm: bool = knob(False, *_PARTIAL_NORM)
    dropout: float = knob(0.8, "Dropout", "Share of the features dropped before the classifier (the paper: 0.8 RGB, 0.7 flow).", ge=0, lt=1)

    @property
    def averages_segments(self) -> bool:
        return self.consensus == "average"


class NFMML(System):
    """One stream of NFMML (Zhi et al., JEIT 2018): a temporal segment network that learns to classify and to measure likeness."""

    sees_segments: ClassVar[bool] = True
    compares_videos: ClassVar[bool] = True
    kind: Literal["nfmml"] = "nfmml"
    backbone: Backbone = knob("bn_inception", "Backbone", "The network that all segments share; BN-Inception is the paper's.")
    pretrained: Pretrained = knob("none", *_WEIGHTS)
    pooling: Literal["average", "max", "convolution"] = knob(
        "average", "Temporal pooling", "How the features of the segments become that of the video; the average is the paper's."
    )
    partial_norm: bool = knob(False, *_PARTIAL_NORM)
    dropout: float = knob(0.8, "Dropout", "Share of the video feature dropped before the classifier.", ge=0, lt=1)
    embedding_size: int = knob(1024, "Embedding size", "Numbers in the embedding of the metric branch.", ge=2, le=8192)
    normalize: bool = knob(
        False, "Normalised embedding", "Bring embeddings to length 1: distances stay below 2, and large weights of the metric loss train."
    )
    initialisation: Literal["xavier", "gaussian"] = knob(
        "xavier", "Start of the metric branch", "Xavier, or a Gaussian of deviation 0.001, with which the paper's own code failed."
    )
    loss: MetricLoss = knob(LiftedStructure(), "Metric loss", "What the metric branch learns by; NFMML's is the lifted structured loss.")
    classification_weight: float = knob(1.0, "Weight λ1", "Of the classification loss (eq. 1).", ge=0, le=100)
    metric_weight: float = knob(0.2, "Weight λ2", "Of the metric loss (eq. 1; Table 2: 0 to 0.4).", ge=0, le=100)
    warmup_steps: int = knob(
        0,
        "Warm-up of λ2",
        "Steps in which λ2 grows evenly from 0; large λ2 trains that did not converge.",
        ge=0,
        le=1_000_000,
        unit="steps",
    )

    @property
    def averages_segments(self) -> bool:
        return self.pooling == "average"


ModelConfig = Annotated[TwoStream | SlowFusion | TSN | NFMML, Field(discriminator="kind")]
