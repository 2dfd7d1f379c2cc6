"""Brox's flow has no second implementation on a CPU: motions known by formula, the energy it minimises, its equations in plain loops."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.flow import real_pairs
from ml.config.flow import TVL1, Brox
from ml.flow import build_flow
from ml.flow.brox import Derivatives, Parameters, _derivative, flow_of, relaxed, system_of
from ml.video.arrays import Floats, Pixels
from tests.ml.packed import texture

INSIDE = np.s_[..., 8:-8, 8:-8]


def pattern(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A smooth picture in 0..1, defined between the pixels too."""
    waves = [(0.31, 0.12, 0.3), (-0.17, 0.29, 1.1), (0.09, -0.23, 2.0), (0.41, 0.37, 0.7), (0.05, 0.08, 0.1)]
    return np.asarray(0.5 + sum(np.sin(a * x + b * y + c) for a, b, c in waves) / (2 * len(waves)))


def moved(matrix: np.ndarray, shift: np.ndarray, height: int = 64, width: int = 80) -> tuple[torch.Tensor, Floats]:
    """Two pictures (1, 2, H, W), in which what is at p goes to A p + b (from the middle), and the flow (2, H, W) that is the truth."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    p = np.stack([x, y], -1) - centre
    before = (p - shift) @ np.linalg.inv(matrix).T + centre  # where the second picture's pixels come from
    pair = np.stack([pattern(x, y), pattern(before[..., 0], before[..., 1])])
    flow = (p @ matrix.T + shift - p).transpose(2, 0, 1)
    return torch.from_numpy(pair[None].astype(np.float32)), flow.astype(np.float32)


def turn(degrees: float) -> np.ndarray:
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


@pytest.mark.parametrize("shift", [(0.5, 0.0), (0.0, -0.25), (1.75, 1.2), (-3.3, 2.4)])
def test_a_translation_is_found_to_a_fraction_of_a_pixel(shift: tuple[float, float]) -> None:
    pair, truth = moved(np.eye(2), np.array(shift))
    assert np.hypot(*(flow_of(pair, Parameters())[0].numpy() - truth))[INSIDE].mean() < 0.03


@pytest.mark.parametrize("matrix", [turn(2), turn(-1), 1.03 * np.eye(2)], ids=["turn", "turn back", "zoom"])
def test_a_rotation_and_a_zoom_are_found(matrix: np.ndarray) -> None:
    pair, truth = moved(matrix, np.zeros(2))
    assert np.abs(truth).max() > 0.5
    assert np.hypot(*(flow_of(pair, Parameters())[0].numpy() - truth))[INSIDE].mean() < 0.06


def energy(pair: torch.Tensor, w: Floats, alpha: float, gamma: float) -> float:
    """The functional of the paper, by numpy and OpenCV."""
    I0, I1 = pair[0].numpy()
    H, W = I0.shape
    x, y = w[0] + np.arange(W, dtype=np.float32), w[1] + np.arange(H, dtype=np.float32)[:, None]

    def differences(image: Floats) -> list[Floats]:
        return [image, *np.gradient(image)[::-1]]

    def at(image: Floats) -> Floats:
        return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32)

    value, across, down = (at(second) - first for first, second in zip(differences(I0), differences(I1), strict=True))
    data = np.sqrt(value**2 + gamma * (across**2 + down**2) + 1e-6)
    smooth = np.sqrt(sum(component**2 for plane in w for component in np.gradient(plane)) + 1e-6)
    return float((data + alpha * smooth).sum())


def test_the_energy_falls_the_longer_it_is_sought() -> None:
    pair, _truth = moved(turn(2), np.array([1.0, -0.5]))
    rough = flow_of(pair, Parameters(num_inner=1, num_sweeps=1))[0].numpy()
    usual = flow_of(pair, Parameters())[0].numpy()
    found = [energy(pair, w, 0.197, 50.0) for w in (np.zeros_like(usual), rough, usual)]
    assert found[0] > found[1] > found[2] and found[2] < 0.3 * found[0]


def in_loops(system: list[np.ndarray], w: np.ndarray, dw: np.ndarray, parity: int) -> np.ndarray:
    """One pass of successive over-relaxation over the pixels of one colour, in float64 and in place: du, then dv with the new du."""
    neighbours, diagonal, coupling, constant = system
    _, H, W = w.shape
    new = dw.copy()
    for j, i in itertools.product(range(H), range(W)):
        if (i + j) % 2 != parity:
            continue
        for c in range(2):
            total = -constant[c, j, i] - coupling[0, j, i] * new[1 - c, j, i]
            for weight, (y, x) in zip(neighbours[:, 0, j, i], ((j, i - 1), (j, i + 1), (j - 1, i), (j + 1, i)), strict=True):
                if 0 <= y < H and 0 <= x < W:
                    total += weight * (w[c, y, x] + new[c, y, x] - w[c, j, i])
            new[c, j, i] = (1 - 1.99) * new[c, j, i] + 1.99 * total / diagonal[c, j, i]
    return new


def test_a_sweep_is_red_black_relaxation_pixel_by_pixel_and_nothing_crosses_the_border() -> None:
    generator = torch.Generator().manual_seed(0)
    I0, I1 = (torch.rand(1, 1, 7, 8, generator=generator) for _ in range(2))
    w, dw = (torch.randn(1, 2, 7, 8, generator=generator) for _ in range(2))
    system = system_of(Derivatives.at(I0, I1, w), w, dw, Parameters())
    left, right, above, below = system.neighbours[:, 0, 0]
    assert not left[:, 0].any() and not right[:, -1].any() and not above[0].any() and not below[-1].any()
    assert torch.equal(left[:, 1:], right[:, :-1]) and torch.equal(above[1:], below[:-1]) and (left[:, 1:] > 0).all()
    red = (torch.arange(7)[:, None] + torch.arange(8)) % 2 == 0
    arrays = [system.neighbours[:, 0].double().numpy(), *(part[0].double().numpy() for part in system[1:])]
    expected = dw[0].double().numpy()
    for parity, chosen in ((0, red), (1, ~red), (0, red)):
        dw = relaxed(system, w, dw, chosen)
        expected = in_loops(arrays, w[0].double().numpy(), expected, parity)
        np.testing.assert_allclose(dw[0], expected, rtol=1e-3, atol=1e-4)


def test_sweeps_lead_to_the_solution_of_the_linear_system() -> None:
    pair, _truth = moved(np.eye(2), np.array([0.4, -0.2]), 12, 14)
    I0, I1 = pair[:, :1].double(), pair[:, 1:].double()
    w = dw = torch.zeros(1, 2, 12, 14, dtype=torch.float64)
    system = system_of(Derivatives.at(I0, I1, w), w, dw, Parameters())
    red = (torch.arange(12)[:, None] + torch.arange(14)) % 2 == 0
    for _ in range(800):
        dw = relaxed(system, w, relaxed(system, w, dw, red), ~red)
    torch.testing.assert_close(relaxed(system, w, dw, red), dw, atol=1e-3, rtol=1e-3)


def test_the_derivative_is_exact_for_a_cubic_and_of_fourth_order() -> None:
    x = torch.arange(12, dtype=torch.float64)
    image = (0.1 * x**3 - x**2 + 2).repeat(9, 1)[None, None]
    expected = (0.3 * x**2 - 2 * x).expand(9, 12)
    torch.testing.assert_close(_derivative(image, -1)[0, 0, :, 2:-2], expected[:, 2:-2])
    torch.testing.assert_close(_derivative(image.mT, -2)[0, 0, 2:-2], expected.T[2:-2])
    assert not _derivative(torch.ones(1, 1, 5, 6), -1).any()


def test_it_is_near_tv_l1() -> None:
    brox, tv_l1 = build_flow(Brox()), build_flow(TVL1())
    first = texture(80, 96, seed=2)
    second = np.asarray(cv2.warpAffine(first, np.array([[1, 0, 1.5], [0, 1, -0.7]]), (96, 80), borderMode=cv2.BORDER_REFLECT), np.uint8)
    assert np.hypot(*(brox(first, second) - tv_l1(first, second)))[INSIDE].mean() < 0.1


def test_on_real_pairs_it_is_near_tv_l1(real_data: Path) -> None:
    brox, tv_l1 = build_flow(Brox()), build_flow(TVL1(epsilon=0.05))
    apart = [np.hypot(*(brox(*pair) - tv_l1(*pair))).mean() for pair in itertools.islice(real_pairs(real_data, (160, 120)), 0, 40, 16)]
    assert np.median(apart) < 0.2


def test_a_batch_gives_what_its_pairs_give_at_odd_sizes_and_below_the_smallest_level() -> None:
    brox = build_flow(Brox(num_inner=2))
    for height, width in ((33, 41), (9, 12)):
        pairs: list[tuple[Pixels, Pixels]] = [(texture(height, width, k), texture(height, width, k + 10)) for k in range(2)]
        fields = brox(*(np.stack(frames) for frames in zip(*pairs, strict=True)))
        assert fields.shape == (2, 2, height, width) and np.isfinite(fields).all()
        for field, pair in zip(fields, pairs, strict=True):
            np.testing.assert_allclose(field, brox(*pair), atol=1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_finds_what_the_cpu_finds() -> None:
    pair, _truth = moved(turn(2), np.zeros(2))
    cpu, gpu = flow_of(pair, Parameters())[0].numpy(), flow_of(pair.cuda(), Parameters())[0].cpu().numpy()
    assert np.hypot(*(gpu - cpu)).mean() < 0.01
