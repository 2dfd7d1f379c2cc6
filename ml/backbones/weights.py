"""ImageNet weights: from files on this machine, never from the network; and how they get to know more channels than three."""

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ml.errors import MissingWeights

State = dict[str, Tensor]


def weights_folder() -> Path:
    """Where torch keeps downloaded checkpoints; the environment variable TORCH_HOME moves it."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def from_file(file: str, classifier: str) -> State:
    """The state dict in `weights_folder() / file`, without the classifier's tensors.

    Raises:
        MissingWeights: there is no such file, or it cannot be read.
    """
    path = weights_folder() / file
    if not path.is_file():
        raise MissingWeights(
            f"The ImageNet weights {file} are not on this machine",
            f"Put the file into {weights_folder()}, choose efficientnet_lite0, whose weights come as a package, or train from scratch.",
        )
    try:
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise MissingWeights(f"{path} holds no weights: {error}", "Fetch the file again.") from error
    return {name: tensor for name, tensor in state.items() if not name.startswith(f"{classifier}.")}


def load_weights(net: nn.Module, state: State, in_channels: int) -> None:
    """Copy `state` into `net`, its first convolution widened to `in_channels`.

    Raises:
        MissingWeights: the weights are another network's.
    """
    first = next(name for name, tensor in net.state_dict().items() if tensor.ndim == 4)
    try:
        net.load_state_dict({**state, first: widen(state[first], in_channels)})
    except (KeyError, RuntimeError) as error:
        raise MissingWeights(
            f"The weights found do not fit {type(net).__name__}: {str(error)[:300]}",
            "Replace the file by the right one, or train from scratch.",
        ) from error


def widen(weight: Tensor, in_channels: int) -> Tensor:
    """Filters (D, 3, h, w) on RGB → (D, C, h, w): the mean over RGB in every channel.

    Cross-modality pre-training of Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.2.
    """
    if weight.shape[1] == in_channels:
        return weight
    return weight.mean(dim=1, keepdim=True).expand(-1, in_channels, -1, -1).clone()
