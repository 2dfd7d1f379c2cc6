"""What a network's first layer looks for, as a picture: Fig. 4 of Simonyan & Zisserman, "Two-Stream Convolutional Networks", NIPS 2014.

There "each column corresponds to a filter, each row to an input channel". Filters on three channels are shown in their own colours instead.
Every filter is on its own scale: mid-grey is 0, black and white are ∓ its largest weight.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor, nn

from ml.errors import BadCheckpoint
from ml.process import atomic_path

IMAGE, FACTS = "filters.png", "filters.json"
TILE_PX = 14
"""A tile is enlarged to at least this side."""

COLUMNS = 16
"""Of colour tiles; 96 filters make 6 rows."""

GREY, SPAN, PAPER = 128, 127, 255


@dataclass(frozen=True)
class FilterFacts:
    """What the picture shows: D filters of C × h × w weights; `smallest` and `largest` are the filters' largest absolute weights."""

    filters: int
    channels: int
    height: int
    width: int
    smallest: float
    largest: float


def write_filters(model: nn.Module, folder: Path) -> FilterFacts:
    """`filters.png` and `filters.json` of the model's first convolution.

    Raises:
        BadCheckpoint: the model has no convolution.
    """
    weights = first_filters(model).detach().float().cpu().numpy()
    peaks = np.abs(weights).max(axis=(1, 2, 3))
    D, C, h, w = weights.shape
    facts = FilterFacts(D, C, h, w, float(peaks.min()), float(peaks.max()))
    whole, png = cv2.imencode(".png", cv2.cvtColor(draw_filters(weights), cv2.COLOR_RGB2BGR))
    if not whole:
        raise ValueError(f"OpenCV made no PNG of filters of shape {weights.shape}")
    with atomic_path(folder / IMAGE) as temporary:
        temporary.write_bytes(png.tobytes())
    with atomic_path(folder / FACTS) as temporary:
        temporary.write_text(json.dumps(asdict(facts)), encoding="utf-8")
    return facts


def first_filters(model: nn.Module) -> Tensor:
    """The weights of the first convolution, (D, C, h, w); of one over time, the channels of each moment in turn.

    Raises:
        BadCheckpoint: there is none.
    """
    first = next((module for module in model.modules() if isinstance(module, nn.Conv2d | nn.Conv3d)), None)
    if first is None:
        raise BadCheckpoint("{network} has no convolution", "Filters are drawn of convolutional networks.", network=type(model).__name__)
    return first.weight if first.weight.ndim == 4 else first.weight.transpose(1, 2).flatten(1, 2)


def draw_filters(weights: np.ndarray) -> np.ndarray:
    """Filters (D, C, h, w) → RGB (H, W, 3) uint8: for C = 3 a grid of colour tiles, else C rows and D columns of grey ones."""
    D, C, h, w = weights.shape
    peaks = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    levels = np.rint(GREY + SPAN * weights / np.where(peaks > 0, peaks, 1)).astype(np.uint8)  # (D, C, h, w)
    if C == 3:
        tiles, columns = levels.transpose(0, 2, 3, 1), min(COLUMNS, D)  # (D, h, w, 3)
    else:
        tiles, columns = levels.transpose(1, 0, 2, 3).reshape(C * D, h, w, 1).repeat(3, axis=3), D  # row by row
    return _mosaic(tiles, columns, scale=max(1, -(-TILE_PX // h)))


def _mosaic(tiles: np.ndarray, columns: int, scale: int) -> np.ndarray:
    """Tiles (n, h, w, 3) side by side with a gap between them, each weight `scale` pixels large."""
    n, h, w, _ = tiles.shape
    height, width = h * scale + 1, w * scale + 1
    canvas = np.full((-(-n // columns) * height + 1, columns * width + 1, 3), PAPER, np.uint8)
    for number, tile in enumerate(tiles.repeat(scale, axis=1).repeat(scale, axis=2)):
        top, left = number // columns * height + 1, number % columns * width + 1
        canvas[top : top + height - 1, left : left + width - 1] = tile
    return canvas
