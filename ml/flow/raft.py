"""RAFT (Teed & Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020) through torchvision.

It was trained on colour pictures; here it sees the grey ones that every method sees, three times.
"""

import pickle
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

import ml.torchvision_shim  # noqa: F401  (before torchvision)
from ml.config.availability import RAFT_WEIGHTS, weights_file
from ml.errors import MissingWeights
from ml.flow.method import FlowMethod
from ml.flow.on_torch import on_torch
from ml.words import Words

# isort: split
from torchvision.models.optical_flow import raft_large, raft_small

NETS = {"large": raft_large, "small": raft_small}
GPU_BATCH = 16
STRIDE, SMALLEST_SIDE = 8, 128  # px; of the pictures that the network takes


def raft(*, size: str, num_updates: int, device: str) -> FlowMethod:
    """What the schema describes.

    Raises:
        MissingWeights: torchvision's weights are not on this machine.
    """
    net = NETS[size](weights=None, progress=False)
    net.load_state_dict(_state(weights_file(RAFT_WEIGHTS[size])))
    net.eval().to(device)

    def of_tensors(I0: Tensor, I1: Tensor) -> Tensor:
        H, W = I0.shape[-2:]
        fields: Tensor = net(_prepared(I0), _prepared(I1), num_flow_updates=num_updates)[-1]
        return fields[..., :H, :W]

    return on_torch(of_tensors, device, GPU_BATCH)


def _prepared(frames: Tensor) -> Tensor:
    """(B, 1, H, W) in 0..255 → (B, 3, H', W') in -1..1, the border repeated on the right and below up to sides that the network takes."""
    H, W = frames.shape[-2:]
    right, below = (max(SMALLEST_SIDE, -(-side // STRIDE) * STRIDE) - side for side in (W, H))
    return functional.pad(frames / 127.5 - 1, (0, right, 0, below), mode="replicate").expand(-1, 3, -1, -1)


def _state(path: Path) -> dict[str, Tensor]:
    advice = Words("Put torchvision's file {file} into {folder}, or choose another flow method.", file=path.name, folder=path.parent)
    if not path.is_file():
        raise MissingWeights("RAFT's weights are not on this machine: {path}", advice, path=path)
    try:
        state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise MissingWeights("{path} holds no weights: {problem}", advice, path=path, problem=error) from error
    return state
