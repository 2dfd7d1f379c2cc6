"""What comes of a video beside its scores: where it lies among the others."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Branches(NamedTuple):
    """What a batch of videos comes to: scores (B, N) before softmax, and embeddings (B, E)."""

    scores: Tensor
    embeddings: Tensor


class Space(NamedTuple):
    """What embeddings are: made by a branch that learns distances ("metric"), or what the last layer sees ("features").

    `is_unit`: each has length 1.
    """

    kind: str = "features"
    is_unit: bool = False


class Embedder(Protocol):
    """A network that tells where videos lie; every one in `ml.models` does."""

    @property
    def space(self) -> Space: ...

    def branches(self, x: Tensor) -> Branches: ...
