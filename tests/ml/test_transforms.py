import importlib

import cv2
import numpy as np
import pytest
import torch

import ml.torchvision_shim  # noqa: F401 - torchvision imports only after it
from ml.flow import build_flow
from ml.video.transforms import (
    PCA_EIGENVALUES,
    PCA_EIGENVECTORS,
    centre_corner,
    centre_crop,
    crop_at,
    five_crops,
    mirror,
    mirror_flow,
    pca_jitter,
    random_corner,
    rescale,
    rescale_flow,
)
from tests.ml.packed import FLOW, moving

functional = importlib.import_module("torchvision.transforms.functional")


def image(channels: int = 3, height: int = 31, width: int = 44, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (channels, height, width)).astype(np.float32)


@pytest.mark.parametrize(("height", "width"), [(31, 44), (44, 31), (24, 24), (25, 24), (27, 30)])
def test_crops_are_torchvisions(height: int, width: int) -> None:
    picture = image(20, height, width)
    tensor = torch.from_numpy(picture)
    assert np.array_equal(five_crops(picture, 24), torch.stack(functional.five_crop(tensor, 24)).numpy())
    assert np.array_equal(centre_crop(picture, 24), functional.center_crop(tensor, 24).numpy())
    ten = np.concatenate([five_crops(picture, 24), five_crops(mirror(picture), 24)])
    assert np.array_equal(ten, torch.stack(functional.ten_crop(tensor, 24)).numpy())


def test_five_crops_come_corner_by_corner_then_the_centre() -> None:
    picture = np.arange(36, dtype=np.float32).reshape(1, 6, 6)
    assert [int(crop[0, 0, 0]) for crop in five_crops(picture, 2)] == [0, 4, 24, 28, 14]


def test_random_corners_reach_every_corner_of_the_whole_picture_and_none_beyond() -> None:
    generator = np.random.default_rng(0)
    corners = {random_corner(np.empty((2, 3, 5, 6)), 3, generator) for _ in range(400)}
    assert corners == {(top, left) for top in range(3) for left in range(4)}


def test_a_crop_as_large_as_the_picture_is_the_picture() -> None:
    picture = image(3, 24, 24)
    assert random_corner(picture, 24, np.random.default_rng(0)) == centre_corner(picture, 24) == (0, 0)
    assert np.array_equal(centre_crop(picture, 24), picture) and np.array_equal(crop_at(picture, 0, 0, 24), picture)


def test_pictures_of_8_bits_stay_so_and_are_resized_as_opencv_does() -> None:
    frame = moving(1, 0, 0, 48, 60)[0]
    for side, how in ((24, cv2.INTER_AREA), (96, cv2.INTER_LINEAR)):
        expected = np.asarray(cv2.resize(frame, (side * 60 // 48, side), interpolation=how))
        resized = rescale(frame.transpose(2, 0, 1), side)
        assert resized.dtype == np.uint8 and np.array_equal(resized.transpose(1, 2, 0), expected)


@pytest.mark.parametrize(("height", "width", "expected"), [(40, 60, (20, 30)), (60, 40, (30, 20)), (10, 11, (20, 22)), (20, 33, (20, 33))])
def test_rescaling_brings_the_short_side_to_size(height: int, width: int, expected: tuple[int, int]) -> None:
    assert rescale(image(4, height, width), 20).shape == (4, *expected)


def test_rescaling_by_half_averages_four_pixels() -> None:
    picture = image(2, 8, 12)
    means = picture.reshape(2, 4, 2, 6, 2).mean((2, 4))
    assert np.allclose(rescale(picture, 4), means, atol=1e-4)


def test_enlarging_is_torchs_bilinear() -> None:
    picture = image(2, 16, 20)
    expected = torch.nn.functional.interpolate(torch.from_numpy(picture)[None], (24, 30), mode="bilinear", align_corners=False)[0]
    assert np.allclose(rescale(picture, 24), expected.numpy(), atol=0.02)


def test_vectors_grow_and_shrink_with_the_picture() -> None:
    field = np.stack([np.full((40, 50), 4.0), np.full((40, 50), -2.0)] * 3).astype(np.float32)
    half = rescale_flow(field, 20)
    assert half.shape == (6, 20, 25)
    assert np.allclose(half[0::2], 2) and np.allclose(half[1::2], -1)
    uneven = rescale_flow(np.ones((2, 30, 31), np.float32), 20)
    assert uneven.shape == (2, 20, 21)
    assert np.allclose(uneven[0], 21 / 31) and np.allclose(uneven[1], 20 / 30)


def test_mirrored_flow_is_the_flow_of_the_mirrored_video() -> None:
    first, second = moving(2, 2, -1, 64, 80)[..., 0]
    flow = build_flow(FLOW.method)
    of_mirrored = flow(np.ascontiguousarray(first[:, ::-1]), np.ascontiguousarray(second[:, ::-1]))
    mirrored = mirror_flow(flow(np.ascontiguousarray(first), np.ascontiguousarray(second)))
    assert np.abs(of_mirrored - mirrored)[:, 8:-8, 8:-8].mean() < 0.02
    assert np.median(mirrored[0]) == pytest.approx(-2, abs=0.1)


def test_mirroring_negates_x_of_every_field_in_a_stack_and_of_no_other_array() -> None:
    stack = image(6)
    kept = stack.copy()
    mirrored = mirror_flow(stack)
    assert np.array_equal(stack, kept)
    assert np.array_equal(mirrored[0::2], -stack[0::2, :, ::-1]) and np.array_equal(mirrored[1::2], stack[1::2, :, ::-1])
    assert np.array_equal(mirror_flow(mirrored), stack) and np.array_equal(mirror(mirror(stack)), stack)


def test_colour_noise_is_one_shift_along_the_principal_components() -> None:
    picture = image()
    shift = pca_jitter(picture, 0.1, np.random.default_rng(5)) - picture
    assert np.allclose(shift, shift[:, :1, :1], atol=1e-4)
    alpha = np.random.default_rng(5).normal(0, 0.1, 3)
    for channel in range(3):
        expected = 255 * sum(PCA_EIGENVECTORS[channel][k] * alpha[k] * PCA_EIGENVALUES[k] for k in range(3))
        assert shift[channel, 0, 0] == pytest.approx(expected, abs=1e-3)


def test_the_principal_components_are_orthonormal() -> None:
    assert np.allclose(PCA_EIGENVECTORS.T @ PCA_EIGENVECTORS, np.eye(3), atol=2e-3)


def test_no_noise_changes_nothing() -> None:
    assert np.array_equal(pca_jitter(image(), 0.0, np.random.default_rng(0)), image())
