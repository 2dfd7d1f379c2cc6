"""Rescaling, crops, mirror images and colour noise, on (C, H, W) float32; all but the first also on (K, C, H, W).

Flow is kept in pixels per frame *of the picture at hand*: rescaling a field by a factor multiplies its vectors by that factor,
and mirroring it negates x. Flow channels are x, y, x, y, … (eq. 1 of the two-stream paper).
"""

import cv2
import numpy as np

from ml.video.arrays import Floats

# Principal components of the RGB values of ImageNet (Krizhevsky et al. 2012, section 4.1), for pixels in 0..1,
# as published with fb.resnet.torch.
PCA_EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
PCA_EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def rescale(image: Floats, short_side: int) -> Floats:
    """The short side becomes `short_side`, the other keeps the ratio (rounded)."""
    H, W = image.shape[1:]
    scale = short_side / min(H, W)
    if scale == 1:
        return image
    size = (max(short_side, round(W * scale)), max(short_side, round(H * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.stack([np.asarray(cv2.resize(plane, size, interpolation=interpolation), np.float32) for plane in image])


def rescale_flow(image: Floats, short_side: int) -> Floats:
    """As `rescale`, and the vectors with it: x by the factor of the width, y by that of the height."""
    resized = rescale(image, short_side)
    factors = np.array([resized.shape[2] / image.shape[2], resized.shape[1] / image.shape[1]], np.float32)
    return resized * np.tile(factors, len(image) // 2)[:, None, None]


def mirror(image: Floats) -> Floats:
    """(..., W) reversed from left to right."""
    return np.ascontiguousarray(image[..., ::-1])


def mirror_flow(image: Floats) -> Floats:
    """(..., 2L, H, W) mirrored: what moved right now moves left, so x is negated."""
    mirrored = mirror(image)
    mirrored[..., 0::2, :, :] *= -1
    return mirrored


def crop_at(image: Floats, top: int, left: int, size: int) -> Floats:
    """(..., size, size)."""
    return image[..., top : top + size, left : left + size]


def random_crop(image: Floats, size: int, generator: np.random.Generator) -> Floats:
    """A square from anywhere in the whole picture."""
    top, left = (int(generator.integers(side - size + 1)) for side in image.shape[-2:])
    return crop_at(image, top, left, size)


def centre_crop(image: Floats, size: int) -> Floats:
    """(..., size, size)."""
    top, left = (round((side - size) / 2) for side in image.shape[-2:])
    return crop_at(image, top, left, size)


def five_crops(image: Floats, size: int) -> Floats:
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
