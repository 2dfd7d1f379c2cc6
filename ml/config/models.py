"""The systems that can be trained: one schema each, joined by `kind`."""

from typing import Literal

from ml.config.schema import Schema, knob

Backbone = Literal["cnn_m_2048", "bn_inception", "vgg16", "resnet10t", "resnet18", "resnet50", "efficientnet_lite0"]


class TwoStream(Schema):
    """One stream of a two-stream network (Simonyan & Zisserman, NIPS 2014): spatial on RGB, temporal on stacked flow."""

    kind: Literal["two_stream"] = "two_stream"
    backbone: Backbone = knob("resnet10t", "Backbone", "The convolutional network of the stream; CNN-M-2048 is the paper's.")
    pretrained: Literal["none", "imagenet"] = knob(
        "none", "Initial weights", "Start from scratch, or from ImageNet weights where this machine has them."
    )
    trainable: Literal["all", "last_layer"] = knob(
        "all", "Trained layers", "Fine-tune every layer, or only the last one on frozen features."
    )
    dropout: float = knob(0.5, "Dropout", "Share of the activations dropped before the classifier (the paper: 0.5 or 0.9).", ge=0, lt=1)


ModelConfig = TwoStream
