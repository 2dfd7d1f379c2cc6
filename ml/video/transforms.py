"""Rescaling, crops, mirror images and colour noise, on (C, H, W); all but the first also on (K, C, H, W).

Flow is kept in pixels per frame *of the picture at hand*: rescaling a field by a factor multiplies its vectors by that factor,
and mirroring it negates x. Flow channels are x, y, x, y, … (eq. 1 of the two-stream paper).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.video.arrays import Floats, Number

# Principal components of the RGB values of ImageNet (Krizhevsky et al. 2012, section 4.1), for pixels in 0..1,
# as published with fb.resnet.torch.
PCA_EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
PCA_EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def rescale(image: NDArray[Number], short_side: int) -> NDArray[Number]:
    """The short side becomes `short_side`, the other keeps the ratio (rounded). Pixels stay pixels of 8 bits."""
    size = _rescaled_size(image, short_side)
    if size == image.shape[1:]:
        return image
    resized = _resized(np.ascontiguousarray(image.transpose(1, 2, 0)), size)  # (H, W, C): as a pack reads frames, so without a copy
    return np.asarray(resized.transpose(2, 0, 1), image.dtype)


def rescale_planes(image: Floats, short_side: int) -> Floats:
    """As `rescale`, of any number of channels: OpenCV averages over at most four."""
    size = _rescaled_size(image, short_side)
    return image if size == image.shape[1:] else np.stack([_resized(plane, size) for plane in image])


def rescale_flow(image: Floats, short_side: int) -> Floats:
    """As `rescale`, and the vectors with it: x by the factor of the width, y by that of the height."""
    H, W = size = _rescaled_size(image, short_side)
    if size == image.shape[1:]:
        return image
    factors = np.array([W / image.shape[2], H / image.shape[1]], np.float32)
    return np.stack([_resized(plane, size) * factors[channel % 2] for channel, plane in enumerate(image)])


def _rescaled_size(image: NDArray[Any], short_side: int) -> tuple[int, int]:
    """(H, W)"""
    H, W = image.shape[1:]
    scale = short_side / min(H, W)
    return max(short_side, round(H * scale)), max(short_side, round(W * scale))


def _resized(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    H, W = size
    interpolation = cv2.INTER_AREA if plane.shape[0] > H else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (W, H), interpolation=interpolation))


def mirror(image: NDArray[Number]) -> NDArray[Number]:
    """(..., W) reversed from left to right."""
    rows: Any = image.reshape(-1, image.shape[-1])  # of all planes, as one picture: ten times as fast as by a negative stride
    return np.asarray(cv2.flip(rows, 1), image.dtype).reshape(image.shape)


def mirror_flow(image: Floats) -> Floats:
    """(..., 2L, H, W) mirrored: what moved right now moves left, so x is negated."""
    mirrored = mirror(image)
    mirrored[..., 0::2, :, :] *= -1
    return mirrored


def upend(image: NDArray[Number]) -> NDArray[Number]:
    """(..., H, W) upside down."""
    return np.ascontiguousarray(image[..., ::-1, :])


def upend_flow(image: Floats) -> Floats:
    """(..., 2L, H, W) upside down: what moved down now moves up, so y is negated."""
    upended = upend(image)
    upended[..., 1::2, :, :] *= -1
    return upended


def crop_at(image: NDArray[Number], top: int, left: int, size: int) -> NDArray[Number]:
    """(..., size, size)."""
    return image[..., top : top + size, left : left + size]


def random_corner(image: NDArray[Any], size: int, generator: np.random.Generator) -> tuple[int, int]:
    """(top, left) of a square from anywhere in the whole picture."""
    top, left = (int(generator.integers(side - size + 1)) for side in image.shape[-2:])
    return top, left


def centre_corner(image: NDArray[Any], size: int) -> tuple[int, int]:
    """(top, left) of the square in the middle."""
    top, left = (round((side - size) / 2) for side in image.shape[-2:])
    return top, left


def centre_crop(image: NDArray[Number], size: int) -> NDArray[Number]:
    """(..., size, size)."""
    return crop_at(image, *centre_corner(image, size), size)


def five_crops(image: NDArray[Number], size: int) -> NDArray[Number]:
    """(5, ..., size, size): top left, top right, bottom left, bottom right, centre."""
    bottom, right = (side - size for side in image.shape[-2:])
    corners = [crop_at(image, top, left, size) for top in (0, bottom) for left in (0, right)]
    return np.stack([*corners, centre_crop(image, size)])


def pca_jitter(image: Floats, sigma: float, generator: np.random.Generator) -> Floats:
    """One colour shift for a whole (..., 3, H, W) RGB picture in 0..255 (Krizhevsky et al. 2012, section 4.1):

    [p1, p2, p3] [α1 λ1, α2 λ2, α3 λ3]ᵀ,   α ~ N(0, σ²).   Values may leave 0..255; a network takes them as they are.
    """
    alpha = generator.normal(0.0, sigma, 3)
    shift = 255 * PCA_EIGENVECTORS @ (alpha * PCA_EIGENVALUES)
    return np.asarray(image + shift[:, None, None], np.float32)
