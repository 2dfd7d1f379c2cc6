import numpy as np

from ml.flow.stacking import stack_flow, subtract_mean


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
