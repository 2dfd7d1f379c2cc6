"""What a network is shown of a video."""

from typing import NamedTuple


class Seen(NamedTuple):
    """K = `segments` snippets (C, H, W), C = `channels`.

    `levels`: of the 256 of a picture, in one unit of an input that is centred on 0, as motion is; None: pictures.
    """

    channels: int
    segments: int = 1
    levels: float | None = None
