import itertools

import numpy as np
import pytest

from ml.config.flow import DIS
from ml.flow import build_flow
from ml.flow.stacking import flow_input, invert, sample, stack_flow, subtract_mean
from ml.video.transforms import mirror_flow
from tests.ml.packed import fields, moving


def eq_1(d: np.ndarray) -> np.ndarray:
    """I(u, v, 2k-1) = d^x_k(u, v), I(u, v, 2k) = d^y_k(u, v), k = 1..L, in plain loops."""
    L, _, h, w = d.shape
    stack = np.zeros((2 * L, h, w))
    for k in range(1, L + 1):
        for v in range(h):
            for u in range(w):
                stack[2 * k - 1 - 1, v, u] = d[k - 1, 0, v, u]
                stack[2 * k - 1, v, u] = d[k - 1, 1, v, u]
    return stack


def test_a_stack_is_equation_1() -> None:
    d = np.random.default_rng(0).normal(size=(5, 2, 4, 6)).astype(np.float32)
    assert np.array_equal(stack_flow(d), eq_1(d.astype(np.float64)))


def test_a_batch_of_stacks_is_stacked_one_by_one() -> None:
    d = np.random.default_rng(1).normal(size=(3, 4, 2, 5, 5)).astype(np.float32)
    assert np.array_equal(stack_flow(d), np.stack([eq_1(each) for each in d]))


def test_one_field_is_its_x_and_its_y() -> None:
    d = np.arange(8, dtype=np.float32).reshape(1, 2, 2, 2)
    assert np.array_equal(stack_flow(d), d[0])


def test_each_component_of_each_field_loses_its_own_mean() -> None:
    d = np.random.default_rng(2).normal(3, 2, (3, 2, 6, 7)).astype(np.float32)
    centred = subtract_mean(d)
    for k in range(3):
        for c in range(2):
            values = [float(value) for value in d[k, c].ravel()]
            mean = sum(values) / len(values)
            assert np.allclose(centred[k, c], d[k, c] - mean, atol=1e-6)
    assert centred.dtype == np.float32


def test_what_every_pixel_does_is_taken_away_whole() -> None:
    d = np.zeros((1, 2, 4, 4), np.float32)
    d[0, 0], d[0, 1] = 17.5, -3
    assert (subtract_mean(d) == 0).all()


def read_at(plane: np.ndarray, x: float, y: float) -> float:
    """Bilinear; outside, the nearest pixel of the border."""
    h, w = plane.shape
    x, y = min(max(x, 0.0), w - 1.0), min(max(y, 0.0), h - 1.0)
    x0, y0 = min(int(x), w - 2), min(int(y), h - 2)
    a, b = x - x0, y - y0
    above = (1 - a) * plane[y0, x0] + a * plane[y0, x0 + 1]
    below = (1 - a) * plane[y0 + 1, x0] + a * plane[y0 + 1, x0 + 1]
    return float((1 - b) * above + b * below)


def eq_2(d: np.ndarray) -> np.ndarray:
    """I(u, v, 2k-1) = d^x_k(p_k), I(u, v, 2k) = d^y_k(p_k), p_k = p_{k-1} + d_{k-1}(p_{k-1}), in plain loops."""
    L, _, h, w = d.shape
    stack = np.zeros((2 * L, h, w))
    for v in range(h):
        for u in range(w):
            p = [float(u), float(v)]
            for k in range(L):
                vector = [read_at(d[k, c], *p) for c in range(2)]
                stack[2 * k, v, u], stack[2 * k + 1, v, u] = vector
                p = [p[0] + vector[0], p[1] + vector[1]]
    return stack


def plain(fields: np.ndarray, **changes: bool) -> np.ndarray:
    chosen = {"along_trajectories": False, "is_bidirectional": False, "has_mean_subtracted": False, **changes}
    return flow_input(fields, **chosen)


CHOICES = [
    {"along_trajectories": a, "is_bidirectional": b, "has_mean_subtracted": c} for a, b, c in itertools.product((False, True), repeat=3)
]


@pytest.mark.parametrize("L", [1, 5, 10])
def test_trajectories_are_equation_2(L: int) -> None:
    d = fields(L, seed=3, height=12, width=15) / 4
    got = plain(d, along_trajectories=True)
    np.testing.assert_allclose(got, eq_2(d.astype(np.float64)), atol=1e-4)
    assert np.array_equal(got[:2], plain(d)[:2])  # k = 1 is the plain stack


def test_paths_leave_the_picture() -> None:
    d = fields(4, seed=5, height=9, width=11)
    assert np.abs(d).max() > 9
    np.testing.assert_allclose(plain(d, along_trajectories=True), eq_2(d.astype(np.float64)), atol=1e-3)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("L", [1, 5, 10])
def test_every_choice_has_two_channels_a_field_and_keeps_its_input(choice: dict[str, bool], L: int) -> None:
    d = fields(L, height=10, width=12)
    kept = d.copy()
    stack = flow_input(d, **choice)
    assert stack.shape == (2 * L, 10, 12) and stack.dtype == np.float32 and np.isfinite(stack).all()
    assert np.array_equal(d, kept)


@pytest.mark.parametrize("choice", CHOICES)
def test_no_motion_gives_nothing(choice: dict[str, bool]) -> None:
    assert not flow_input(np.zeros((4, 2, 8, 9), np.float32), **choice).any()


def test_one_motion_everywhere_is_the_same_along_every_path_and_back() -> None:
    d = np.zeros((4, 2, 8, 9), np.float32)
    d[:, 0], d[:, 1] = 2.5, -1
    assert np.array_equal(plain(d, along_trajectories=True), plain(d))
    both = plain(d, is_bidirectional=True)
    assert np.array_equal(both[:4], plain(d)[:4]) and np.array_equal(both[4:], -plain(d)[4:])
    for choice in CHOICES:
        if choice["has_mean_subtracted"]:
            assert not flow_input(d, **choice).any()


@pytest.mark.parametrize(("L", "onward"), [(1, 1), (4, 2), (5, 3), (10, 5)])
def test_half_the_fields_lead_onward_from_the_middle_and_half_back_nearest_first(L: int, onward: int) -> None:
    d = fields(L, seed=1, height=20, width=24) / 10
    stack = plain(d, is_bidirectional=True)
    assert np.array_equal(stack[: 2 * onward], plain(d[L - onward :]))
    for k in range(L - onward):
        assert np.array_equal(stack[2 * (onward + k) :][:2], invert(d[L - onward - 1 - k]))


def test_each_half_of_a_bidirectional_stack_has_its_own_paths_from_the_middle_frame() -> None:
    d = fields(6, seed=2, height=14, width=16) / 10
    back = np.stack([invert(d[k]) for k in (2, 1, 0)])
    expected = np.concatenate([eq_2(d[3:].astype(np.float64)), eq_2(back.astype(np.float64))])
    np.testing.assert_allclose(plain(d, is_bidirectional=True, along_trajectories=True), expected, atol=1e-4)


def test_the_inverse_leads_back_to_where_a_pixel_came_from() -> None:
    field = fields(1, seed=7, height=60, width=80)[0] / 3
    back = invert(field)
    y, x = np.mgrid[0:60, 0:80].astype(np.float32)
    there = np.stack([x, y]) + back
    residual = back + sample(field, there)
    assert np.abs(field).max() > 1 and np.abs(residual)[:, 8:-8, 8:-8].max() < 0.02


def test_the_inverse_is_the_flow_that_is_found_backwards() -> None:
    first, second = (np.ascontiguousarray(frame) for frame in moving(2, 2, -1, 64, 72)[..., 0])
    flow = build_flow(DIS())
    assert np.abs(invert(flow(first, second)) - flow(second, first))[:, 8:-8, 8:-8].mean() < 0.1


def test_along_paths_the_mean_of_the_whole_field_is_subtracted() -> None:
    d = fields(3, seed=9, height=10, width=11)
    got = plain(d, along_trajectories=True, has_mean_subtracted=True)
    for k in range(3):
        for c in range(2):
            expected = eq_2(d.astype(np.float64))[2 * k + c] - d[k, c].astype(np.float64).mean()
            np.testing.assert_allclose(got[2 * k + c], expected, atol=1e-3)


@pytest.mark.parametrize("choice", CHOICES)
def test_the_mirror_image_of_what_is_seen_is_what_is_seen_of_the_mirror_image(choice: dict[str, bool]) -> None:
    d = fields(4, seed=6, height=16, width=18) * np.float32(0.2)
    of_mirrored = flow_input(mirror_flow(stack_flow(d)).reshape(d.shape), **choice)
    assert np.abs(of_mirrored - mirror_flow(flow_input(d, **choice))).max() < 1e-4
