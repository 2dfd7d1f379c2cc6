import numpy as np
import pytest

from ml.flow.encode import ZERO_LEVEL, Encoding, from_levels, to_levels


def denseflow_level(value: float, low: float, high: float) -> int:
    """CAST(v, L, H) of denseflow, in plain Python; round() rounds half to even like cvRound."""
    if value > high:
        return 255
    if value < low:
        return 0
    return round(255 * (value - low) / (high - low))


def test_a_fixed_bound_gives_denseflows_levels() -> None:
    values = np.random.default_rng(0).uniform(-26, 26, (20, 30)).astype(np.float32)
    levels, low, high = to_levels(values, "bound", 20)
    assert (low, high) == (-20, 20)
    assert levels.tolist() == [[denseflow_level(float(value), -20, 20) for value in row] for row in values]


def test_zero_is_level_128_and_comes_back_as_zero() -> None:
    levels, low, high = to_levels(np.zeros((2, 2), np.float32), "bound", 20)
    assert (levels == ZERO_LEVEL).all()
    assert (from_levels(levels, "bound", low, high) == 0).all()


def test_a_fixed_bound_is_off_by_less_than_one_level_and_never_upwards() -> None:
    values = np.linspace(-20, 20, 4001, dtype=np.float32)[None]
    error = (from_levels(*_three(values, "bound", 20)) - values) / (40 / 255)
    assert error.min() > -1.001 and error.max() < 0.001


def test_an_own_range_is_off_by_at_most_half_a_level() -> None:
    values = np.random.default_rng(1).normal(2, 9, (40, 50)).astype(np.float32)
    error = np.abs(from_levels(*_three(values, "range", 20)) - values)
    half = (values.max() - values.min()) / 255 / 2
    assert error.max() <= half * 1.0001 and error.max() > 0.9 * half


def test_an_own_range_keeps_its_ends() -> None:
    values = np.array([[-3.25, 0.1, 7.5]], np.float32)
    decoded = from_levels(*_three(values, "range", 1))
    assert decoded[0, [0, 2]].tolist() == [-3.25, 7.5]


@pytest.mark.parametrize("value", [0.0, -1.75, 1e-30, 3e5])
def test_a_constant_field_is_kept_exactly_in_its_own_range(value: float) -> None:
    values = np.full((3, 4), value, np.float32)
    assert np.array_equal(from_levels(*_three(values, "range", 20)), values)


def _three(values: np.ndarray, encoding: Encoding, bound: float) -> tuple[np.ndarray, Encoding, float, float]:
    levels, low, high = to_levels(values, encoding, bound)
    return levels, encoding, low, high
