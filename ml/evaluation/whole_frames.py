"""The fully convolutional test: whole frames in the place of crops, the network at every position of them.

A network that ends in fully connected layers (CNN-M, VGG) slides over the frame at the stride of its last map, and each position is a view:
of a frame as large as a crop there is one, the crop's own. Positions differ from crops cut there by what convolutions see beyond the
crop's border, where a crop has zeros; a network without padding gives the same. A network that averages its last map averages the
larger map of the whole frame, and a frame is one view.
"""

import torch
from torch import nn

from ml.backbones.fixed_map import FixedMap
from ml.config.data import DataConfig
from ml.config.evaluation import Protocol
from ml.video.modality import modality_of


@torch.inference_mode()
def prepare(model: nn.Module, data: DataConfig, protocol: Protocol) -> None:
    """Have the network, which is in eval mode, slide over its input if the protocol shows it whole frames, and not slide if it does not."""
    maps = [module for module in model.modules() if isinstance(module, FixedMap)]
    for fixed in maps:
        fixed.window = None
    if protocol.has_whole_frames:
        for fixed, side in zip(maps, _sides(model, maps, data), strict=True):
            fixed.window = side


def _sides(model: nn.Module, maps: list[FixedMap], data: DataConfig) -> list[int]:
    """Of each map, when the network sees one crop."""
    sides: list[int] = []
    hooks = [fixed.register_forward_pre_hook(lambda _, given: sides.append(given[0].shape[-1])) for fixed in maps]
    device = next(model.parameters()).device
    if maps:
        model(torch.zeros(1, modality_of(data.input).channels(data.input), data.crop_size, data.crop_size, device=device))
    for hook in hooks:
        hook.remove()
    return sides
