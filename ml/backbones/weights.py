"""ImageNet weights: from files on this machine, never from the network; and how they get to know more channels than three."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from ml.backbones.state_file import State, read_state
from ml.config.models import Backbone
from ml.config.weights import IMAGENET, find, weights_folder
from ml.errors import MissingWeights


@dataclass(frozen=True)
class Imagenet:
    """How the published weights of a backbone become ours: without their classifier, and renamed."""

    name: Backbone
    classifier: str
    rename: Callable[[State], State] = dict

    def __call__(self, path: Path | None = None, called: str = "") -> State:
        """The state dict in `path`, which its owner calls so, or in the file found on this machine.

        Raises:
            MissingWeights: there is no such file, or it cannot be read.
        """
        path = path or find(self.name)
        if path is None:
            raise MissingWeights(
                "The ImageNet weights of {name} ({wanted}) are not on this machine",
                "Upload them on the page of weights, put the file into {folder}, or train from scratch.",
                name=self.name,
                wanted=IMAGENET[self.name].file,
                folder=weights_folder(),
            )
        state = {name: tensor for name, tensor in read_state(path, called).items() if not name.startswith(f"{self.classifier}.")}
        try:
            return self.rename(state)
        except (KeyError, IndexError, ValueError) as error:
            raise MissingWeights(
                "The tensors in {file} are not called as {publisher} calls them: {problem}",
                "Fetch {wanted}.",
                file=called or path.name,
                publisher=IMAGENET[self.name].publisher,
                problem=error,
                wanted=IMAGENET[self.name].file,
            ) from error


@dataclass(frozen=True)
class Comparison:
    """What of a state dict fits a network: names without tensors, tensors without a place, and shapes (found, expected) that differ."""

    loaded: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.shapes)


def compare(net: nn.Module, state: State) -> Comparison:
    """`state` against the network it is for, name by name."""
    wanted = net.state_dict()
    shapes = [(name, tuple(state[name].shape), tuple(wanted[name].shape)) for name in wanted if name in state]
    different = tuple(row for row in shapes if row[1] != row[2])
    return Comparison(
        loaded=len(shapes) - len(different),
        missing=tuple(name for name in wanted if name not in state),
        unexpected=tuple(name for name in state if name not in wanted),
        shapes=different,
    )


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
            "The weights found do not fit {network}: {problem}",
            "Replace the file by the right one, or train from scratch.",
            network=type(net).__name__,
            problem=str(error)[:300],
        ) from error


def widen(weight: Tensor, in_channels: int) -> Tensor:
    """Filters (D, 3, h, w) on RGB → (D, C, h, w): the mean over RGB in every channel.

    Cross-modality pre-training of Wang et al., "Temporal Segment Networks", ECCV 2016, section 3.2.
    """
    if weight.shape[1] == in_channels:
        return weight
    return weight.mean(dim=1, keepdim=True).expand(-1, in_channels, -1, -1).clone()
