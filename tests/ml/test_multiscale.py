"""Windows of a training picture: TSN's sizes and places, and nothing beyond the picture."""

from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import pytest

from ml.video.multiscale import PLACES, WINDOWS, Window, anywhere, corner, cut, multiscale_corner, window_sides
from ml.video.transforms import upend, upend_flow


def picture(H: int = 256, W: int = 340, C: int = 3) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (C, H, W), dtype=np.uint8)


def drawn(policy: Callable[..., Window], image: np.ndarray[Any, Any], size: int, count: int = 4000) -> set[Window]:
    generator = np.random.default_rng(0)
    return {policy(image, size, generator) for _ in range(count)}


def test_the_sides_are_those_of_tsns_code_for_its_own_pictures() -> None:
    """Scales of 256 are 256, 224, 192 and 168; a pair is at most one step apart."""
    expected = {(256, 256), (256, 224), (224, 256), (224, 224), (224, 192), (192, 224), (192, 192), (192, 168), (168, 192), (168, 168)}

    assert set(window_sides(256, 224)) == expected and len(window_sides(256, 224)) == 10


def test_for_flow_the_smallest_side_is_left_out() -> None:
    assert set(window_sides(256, 224, smallest=0.75)) == {pair for pair in window_sides(256, 224) if min(pair) > 168}
    assert window_sides(256, 224, smallest=1) == [(256, 256)]
    drawn_pairs = {(height, width) for _, _, height, width in drawn(partial(multiscale_corner, smallest=0.75), picture(), 224, 300)}
    assert drawn_pairs == set(window_sides(256, 224, smallest=0.75))


@pytest.mark.parametrize(("short_side", "size", "snapped"), [(258, 224, 225), (254, 224, 222), (260, 224, 227)])
def test_sides_within_3_pixels_of_the_input_become_the_input(short_side: int, size: int, snapped: int) -> None:
    sides = {side for pair in window_sides(short_side, size) for side in pair}

    assert int(short_side * 0.875) == snapped
    assert (size in sides) == (abs(snapped - size) < 3) and (snapped in sides) == (abs(snapped - size) >= 3)


def test_multiscale_windows_lie_in_tsns_13_places() -> None:
    """As the authors' code lists them: steps of a quarter of what is left of width and height."""
    image, places = picture(), set()
    for height, width in window_sides(256, 224):
        w_step, h_step = (340 - width) // 4, (256 - height) // 4
        upper_left, upper_right = (0, 0), (4 * w_step, 0)
        lower_left, lower_right = (0, 4 * h_step), (4 * w_step, 4 * h_step)
        middles = [(0, 2 * h_step), (4 * w_step, 2 * h_step), (2 * w_step, 4 * h_step), (2 * w_step, 0)]
        quarters = [(w_step, h_step), (3 * w_step, h_step), (w_step, 3 * h_step), (3 * w_step, 3 * h_step)]
        for left, top in [upper_left, upper_right, lower_left, lower_right, (2 * w_step, 2 * h_step), *middles, *quarters]:
            places.add(Window(top, left, height, width))

    assert len(PLACES) == len(set(PLACES)) == 13
    assert drawn(multiscale_corner, image, 224) == places


def test_corner_windows_are_the_corners_and_the_centre() -> None:
    assert drawn(corner, picture(32, 44), 24) == {Window(*place, 24, 24) for place in ((0, 0), (0, 20), (8, 0), (8, 20), (4, 10))}


def test_windows_from_anywhere_reach_every_corner_of_the_picture() -> None:
    assert drawn(anywhere, picture(5, 6), 3) == {Window(top, left, 3, 3) for top in range(3) for left in range(4)}


@pytest.mark.parametrize("policy", WINDOWS.values())
@pytest.mark.parametrize(("H", "W", "size"), [(40, 53, 40), (53, 40, 32), (33, 33, 32)])
def test_no_window_leaves_the_picture(policy: Callable[..., Window], H: int, W: int, size: int) -> None:
    for top, left, height, width in drawn(policy, picture(H, W), size, 300):
        assert 0 <= top <= H - height and 0 <= left <= W - width and height > 0 < width


def test_a_window_of_the_inputs_size_is_cut_from_every_snippet_pixel_by_pixel() -> None:
    snippets = [picture(32, 44), picture(32, 44)[::-1]]

    images = cut(snippets, Window(3, 5, 24, 24), 24)

    assert images.shape == (2, 3, 24, 24) and images.dtype == np.float32
    assert np.array_equal(images, np.stack([snippet[:, 3:27, 5:29] for snippet in snippets]))


def test_another_window_is_resized_bilinearly_and_flow_keeps_its_vectors() -> None:
    fields = np.random.default_rng(1).normal(size=(20, 32, 44)).astype(np.float32)

    images = cut([fields], Window(2, 4, 28, 20), 24)

    expected = np.stack([cv2.resize(plane[2:30, 4:24], (24, 24), interpolation=cv2.INTER_LINEAR) for plane in fields])
    np.testing.assert_allclose(images[0], expected, atol=1e-6)
    still = cut([np.full((20, 32, 44), 2.5, np.float32)], Window(2, 4, 28, 20), 24)
    np.testing.assert_allclose(still, 2.5, rtol=1e-6)


def test_upside_down_flow_has_y_negated() -> None:
    fields = np.random.default_rng(2).normal(size=(2, 4, 5, 6)).astype(np.float32)

    upended = upend_flow(fields)

    assert np.array_equal(upended[:, 0::2], fields[:, 0::2, ::-1])
    assert np.array_equal(upended[:, 1::2], -fields[:, 1::2, ::-1])
    assert np.array_equal(upend(upend(fields)), fields) and np.array_equal(upend_flow(upended), fields)
