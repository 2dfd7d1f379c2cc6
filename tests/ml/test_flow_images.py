"""The picture operations beside OpenCV's, and beside plain loops where OpenCV has them for CUDA only."""

import cv2
import numpy as np
import pytest
import torch

from ml.flow.images import centred_gradient, median_5x5, resize, warp
from ml.video.arrays import Floats
from tests.ml.packed import texture


def picture(height: int = 41, width: int = 57) -> Floats:
    return texture(height, width, seed=1).astype(np.float32)


def tensor(image: Floats) -> torch.Tensor:
    return torch.from_numpy(image)[None, None]


def displacement(height: int, width: int, size: float = 6) -> Floats:
    """(2, H, W), some of it beyond the picture."""
    noise = np.random.default_rng(3).normal(size=(2, height, width)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), 3) for plane in noise]) * 10 * np.float32(size)


def test_shrinking_by_a_factor_is_opencvs() -> None:
    image = picture()
    expected = cv2.resize(image, None, fx=0.8, fy=0.8)
    got = resize(tensor(image), (expected.shape[0], expected.shape[1]), 1.25)[0, 0]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_growing_to_a_size_is_opencvs() -> None:
    image = picture()
    np.testing.assert_allclose(resize(tensor(image), (52, 71))[0, 0], cv2.resize(image, (71, 52)), atol=1e-4)


def test_pixels_as_points_are_read_where_opencvs_cuda_module_reads_them() -> None:
    image, got = picture(9, 11), resize(tensor(picture(9, 11)), (7, 9), 1.25, centre=0)[0, 0]
    for y in range(7):
        for x in range(9):
            sy, sx = 1.25 * y, 1.25 * x
            y1, x1 = int(sy), int(sx)
            y2, x2 = min(y1 + 1, 8), min(x1 + 1, 10)
            above = image[y1, x1] * (x1 + 1 - sx) + image[y1, x2] * (sx - x1)
            below = image[y2, x1] * (x1 + 1 - sx) + image[y2, x2] * (sx - x1)
            assert float(got[y, x]) == pytest.approx(above * (y1 + 1 - sy) + below * (sy - y1), abs=1e-3)


def test_warping_with_zeros_outside_is_opencvs_remap() -> None:
    image, u = picture(), displacement(41, 57)
    x, y = (u[0] + np.arange(57, dtype=np.float32)), (u[1] + np.arange(41, dtype=np.float32)[:, None])
    expected = cv2.remap(image, x, y, cv2.INTER_CUBIC)
    assert (expected == 0).any()
    got = warp(tensor(image), torch.from_numpy(u)[None], -0.75, is_clamped=False)[0, 0]
    np.testing.assert_allclose(got, expected, atol=1e-4)


def keys(d: float) -> float:
    """Keys' cubic convolution, A = -0.5."""
    d = abs(d)
    return (1.5 * d - 2.5) * d * d + 1 if d <= 1 else ((-0.5 * d + 2.5) * d - 4) * d + 2 if d < 2 else 0.0


def test_warping_with_the_border_repeated_is_the_sum_that_opencvs_cuda_kernel_takes() -> None:
    image, u = picture(12, 14), displacement(12, 14)
    got = warp(tensor(image), torch.from_numpy(u)[None], -0.5, is_clamped=True)[0, 0]
    for y in range(12):
        for x in range(14):
            wx, wy = x + float(u[0, y, x]), y + float(u[1, y, x])
            total = weights = 0.0
            for cy in range(int(np.ceil(wy - 2)), int(np.floor(wy + 2)) + 1):
                for cx in range(int(np.ceil(wx - 2)), int(np.floor(wx + 2)) + 1):
                    w = keys(wx - cx) * keys(wy - cy)
                    total += w * image[min(max(cy, 0), 11), min(max(cx, 0), 13)]
                    weights += w
            assert float(got[y, x]) == pytest.approx(total / weights, abs=1e-2)


def test_no_displacement_changes_nothing() -> None:
    image, still = tensor(picture()), torch.zeros(1, 2, 41, 57)
    for A, is_clamped in ((-0.75, False), (-0.5, True)):
        assert torch.equal(warp(image, still, A, is_clamped), image)


def test_the_median_is_opencvs_bit_for_bit() -> None:
    noise = np.random.default_rng(0).normal(size=(2, 3, 17, 23)).astype(np.float32)
    noise[0, 0] = noise[0, 0].round()  # ties
    got = median_5x5(torch.from_numpy(noise))
    for plane, expected in zip(got.flatten(0, 1), noise.reshape(-1, 17, 23), strict=True):
        assert np.array_equal(plane, cv2.medianBlur(expected, 5))


def test_the_gradient_is_half_the_difference_of_the_neighbours() -> None:
    image = picture(6, 7)
    x, y = (each[0, 0] for each in centred_gradient(tensor(image)))
    for row in range(6):
        for column in range(7):
            assert float(x[row, column]) == (image[row, min(column + 1, 6)] - image[row, max(column - 1, 0)]) / 2
            assert float(y[row, column]) == (image[min(row + 1, 5), column] - image[max(row - 1, 0), column]) / 2
