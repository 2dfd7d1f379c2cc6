"""TV-L1 beside OpenCV's own, and its equations beside plain loops."""

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks.flow import agreement, built, opencv, real_pairs
from ml.config.flow import TVL1
from ml.flow import build_flow, tv_l1_gpu
from ml.flow.tv_l1 import VARIANTS, Linear, Parameters, State, each_iteration, flow_of, iterate, method_of, now_and_then, refined
from ml.video.arrays import Floats, Pixels
from tests.ml.packed import moving, texture

CPU, CUDA = VARIANTS["opencv_cpu"], VARIANTS["opencv_cuda"]
PLAIN = replace(CPU, num_outer=1, has_median=False)
Pair = tuple[Pixels, Pixels]


def shifted(dx: int, dy: int, height: int = 72, width: int = 90, seed: int = 0) -> Pair:
    first, second = moving(2, dx, dy, height, width, seed)[..., 0]
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def swirling(height: int = 90, width: int = 110) -> Pair:
    """A texture that turns by three degrees and grows by two percent."""
    first = texture(height, width, seed=4)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 3, 1.02)
    return first, np.asarray(cv2.warpAffine(first, turn, (width, height), borderMode=cv2.BORDER_REFLECT), np.uint8)


@pytest.mark.parametrize("pair", [shifted(2, -1), shifted(-3, 2, 61, 77, seed=2), swirling()], ids=["shift", "odd sizes", "swirl"])
def test_it_is_opencvs_tv_l1(pair: Pair) -> None:
    found = agreement(built(Parameters(), CPU)(*pair), opencv(pair))
    assert found.epe < 0.01 and found.equal >= 0.95


def test_on_real_pairs_it_is_opencvs_tv_l1(real_data: Path) -> None:
    """A sample; `python -m benchmarks flow` compares a thousand."""
    pairs = itertools.islice(real_pairs(real_data, (160, 120)), 0, 40, 8)
    found = [agreement(built(Parameters(), CPU)(*pair), opencv(pair)) for pair in pairs]
    assert len(found) == 5
    assert np.mean([one.epe for one in found]) < 0.01
    assert np.mean([one.equal for one in found]) >= 0.95


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"num_scales": 1, "num_warps": 1}, {"ScalesNumber": 1, "WarpingsNumber": 1}),
        ({"num_scales": 3, "num_warps": 2, "scale_step": 0.7}, {"ScalesNumber": 3, "WarpingsNumber": 2, "ScaleStep": 0.7}),
        ({"tau": 0.2, "lambda_": 0.08, "theta": 0.4, "num_warps": 2}, {"Tau": 0.2, "Lambda": 0.08, "Theta": 0.4, "WarpingsNumber": 2}),
    ],
)
def test_each_parameter_means_what_it_means_to_opencv(ours: dict[str, float], theirs: dict[str, float]) -> None:
    pair = shifted(2, 1)
    parameters = Parameters(**{"epsilon": 0, **ours})  # type: ignore[arg-type]
    field = built(parameters, PLAIN)(*pair)
    settings = {"Epsilon": 0.0, "OuterIterations": 1, "InnerIterations": 30, "MedianFiltering": 1, **theirs}
    assert np.hypot(*(field - opencv(pair, **settings))).mean() < 1e-3


def test_iterations_end_when_the_field_stands_still_as_in_opencv() -> None:
    pair = shifted(1, 0)
    for epsilon in (0.05, 0.2):
        field = built(Parameters(epsilon=epsilon), CPU)(*pair)
        assert np.hypot(*(field - opencv(pair, Epsilon=epsilon))).mean() < 1e-3
    assert not np.allclose(field, built(Parameters(), CPU)(*pair), atol=0.01)


def in_loops(u: Floats, p: Floats, linear: tuple[Floats, ...], parameters: Parameters) -> tuple[Floats, Floats, float]:
    """(1) to (4) for every pixel, in float64, TH by its three cases."""
    (I1x, I1y), rho_c = linear[0], linear[1]
    _, H, W = u.shape
    new_u, new_p, error = np.zeros((2, H, W)), np.zeros((2, 2, H, W)), 0.0
    l_t = parameters.lambda_ * parameters.theta
    for y, x in itertools.product(range(H), range(W)):
        gradient = np.array([I1x[y, x], I1y[y, x]], np.float64)
        rho = rho_c[y, x] + gradient @ u[:, y, x].astype(np.float64)
        g = gradient @ gradient
        d = l_t * gradient if rho < -l_t * g else -l_t * gradient if rho > l_t * g else -rho / g * gradient if g > 0 else 0 * gradient
        div = p[:, 0, y, x] - (p[:, 0, y, x - 1] if x else 0) + p[:, 1, y, x] - (p[:, 1, y - 1, x] if y else 0)
        new_u[:, y, x] = u[:, y, x] + d + parameters.theta * div
        error += ((new_u[:, y, x] - u[:, y, x]) ** 2).sum()
    ratio = parameters.tau / parameters.theta
    for c, y, x in itertools.product(range(2), range(H), range(W)):
        across = new_u[c, y, x + 1] - new_u[c, y, x] if x < W - 1 else 0.0
        down = new_u[c, y + 1, x] - new_u[c, y, x] if y < H - 1 else 0.0
        new_p[c, :, y, x] = (p[c, :, y, x] + ratio * np.array([across, down])) / (1 + ratio * np.hypot(across, down))
    return new_u.astype(np.float32), new_p.astype(np.float32), error


def beginning(seed: int, H: int, W: int) -> tuple[Floats, Floats, Floats, Floats]:
    """A flow u, the picture's gradient, 0 somewhere, and the constant of (1), all at random; p as it begins."""
    generator = np.random.default_rng(seed)
    u, gradient = (generator.normal(size=(2, H, W)).astype(np.float32) for _ in range(2))
    gradient[:, 3, 4] = 0
    constant = generator.normal(0, 0.3, (H, W)).astype(np.float32)
    return u, gradient, constant, np.zeros((2, 2, H, W), np.float32)


def test_an_iteration_is_the_equations_pixel_by_pixel() -> None:
    H, W, parameters = 7, 9, Parameters(tau=0.2, lambda_=0.3, theta=0.5)
    u, gradient, constant, p = beginning(0, H, W)
    state = State(torch.from_numpy(u)[None])
    square = torch.from_numpy((gradient**2).sum(0).clip(1e-38)).view(1, 1, -1)
    linear = Linear(torch.from_numpy(gradient).view(1, 2, -1), torch.from_numpy(constant).view(1, 1, -1), square)
    steps = parameters.steps(torch.ones(1, dtype=torch.bool))
    for _ in range(3):
        error = iterate(state.views, linear, steps)
        u, p, expected = in_loops(u, p, (gradient, constant), parameters)
        np.testing.assert_allclose(state.flow[0], u, atol=1e-5)
        np.testing.assert_allclose(state.p[0, ..., W:-W].view(2, 2, H, W), p, atol=1e-5)
        assert float(error) == pytest.approx(expected, rel=1e-4)
    assert not state.u[..., :W].any() and not state.u[..., -W:].any() and not state.p[..., :W].any()


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_each_pair_of_a_batch_stops_by_itself(variant: str) -> None:
    pairs = [shifted(0, 0), shifted(2, -1), shifted(-1, 0, seed=3)]
    flow = method_of(Parameters(num_warps=2), VARIANTS[variant], "cpu")
    fields = flow(*(np.stack(frames) for frames in zip(*pairs, strict=True)))
    for field, pair in zip(fields, pairs, strict=True):
        np.testing.assert_allclose(field, flow(*pair), atol=1e-4)


def test_the_cuda_variant_looks_at_the_error_when_opencvs_cuda_code_does() -> None:
    errors, threshold = [9.0, 7.5, 6.0, 5.0, 3.9, 3.2, 2.8, 2.5, 2.2, 1.9, 1.6, 1.4, 1.2, 0.9, 0.8, 0.7, 0.6, 0.5], 1.0
    credit, seen = torch.zeros(1), []
    for n, error in enumerate(errors):
        goes_on, credit = now_and_then(n, torch.tensor([error]), credit, threshold)
        seen.append(bool(goes_on))

    expected, previous = [], 0.0
    for n, error in enumerate(errors):  # as the loop of cv::cuda::OpticalFlowDual_TVL1 is written
        if n & 1 and previous < threshold:
            previous = error
            expected.append(error > threshold)
        else:
            previous -= threshold
            expected.append(True)
    assert seen == expected and not all(seen)
    assert [bool(each_iteration(n, torch.tensor([e]), credit, threshold)[0]) for n, e in enumerate(errors)] == [e > 1 for e in errors]


@pytest.mark.parametrize("pair", [shifted(2, -1), swirling()], ids=["shift", "swirl"])
def test_the_cuda_variant_is_near_the_cpu_variant_and_not_the_same(pair: Pair) -> None:
    cpu, cuda = (build_flow(TVL1.model_validate({"variant": name}))(*pair) for name in VARIANTS)
    inside = np.hypot(*(cuda - cpu))[12:-12, 12:-12]  # with its clamped border, the CUDA version's flow runs away where pixels leave
    assert 1e-4 < inside.mean() < 0.05


def test_a_picture_of_one_colour_does_not_move() -> None:
    grey = np.full((40, 50), 128, np.uint8)
    for variant in VARIANTS.values():
        assert not method_of(Parameters(), variant, "cpu")(grey, grey).any()


def test_it_needs_nothing_but_torch_and_numpy() -> None:
    code = "import sys, ml.flow.tv_l1; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert not set(done.stdout.split()) & {"pydantic", "cv2", "av", "torchvision", "django"}


def test_an_iteration_of_the_gpus_form_is_the_equations_pixel_by_pixel() -> None:
    H, W, parameters = 7, 9, Parameters(tau=0.2, lambda_=0.3, theta=0.5)
    u, gradient, constant, p = beginning(1, H, W)
    x = tv_l1_gpu.Unknowns(*torch.from_numpy(np.stack([*u, *p.reshape(4, H, W)]))[:, None].clone())
    linear = tv_l1_gpu.Linear(*torch.from_numpy(np.stack([*gradient, constant]))[:, None])
    pairs = tv_l1_gpu.Pairs.like(torch.from_numpy(u)[None], 0.0)
    for _ in range(2):
        tv_l1_gpu.iterate(x, linear, pairs, parameters, CPU)
        for _ in range(tv_l1_gpu.AT_ONCE):
            u, p, _ = in_loops(u, p, (gradient, constant), parameters)
        np.testing.assert_allclose(torch.cat(x), [*u, *p.reshape(4, H, W)], atol=1e-5)


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_gpus_form_finds_what_the_cpus_finds(variant: str) -> None:
    pairs = [shifted(0, 0, 40, 56), shifted(2, -1, 40, 56), shifted(-1, 0, 40, 56, seed=3)]
    I0, I1 = (torch.from_numpy(np.stack(frames)).float()[:, None] for frames in zip(*pairs, strict=True))
    ours, theirs = (flow_of(I0, I1, Parameters(num_warps=2), VARIANTS[variant], refine) for refine in (tv_l1_gpu.refined, refined))
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
    assert not ours[0].any() and ours[1].abs().mean() > 1


def test_a_pair_that_stands_still_is_left_as_it_is_by_the_gpus_form() -> None:
    x = tv_l1_gpu.Unknowns(*torch.randn(6, 2, 8, 10).unbind())
    before, linear = torch.stack(x), tv_l1_gpu.Linear(*torch.randn(3, 2, 8, 10).unbind())
    pairs = tv_l1_gpu.Pairs.like(x.u1, 0.0)._replace(goes_on=torch.tensor([True, False]))
    tv_l1_gpu.smooth(x, pairs.goes_on)
    tv_l1_gpu.iterate(x, linear, pairs, Parameters(), CPU)
    assert torch.equal(torch.stack(x)[:, 1], before[:, 1]) and not torch.equal(torch.stack(x)[:, 0], before[:, 0])
    assert pairs.goes_on.tolist() == [True, False]


def test_where_nothing_compiles_a_gpu_runs_it_uncompiled_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("Cannot find a working triton installation.\nMore on this")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(RuntimeWarning, match="uncompiled, hence slower: Cannot find a working triton installation.$"):
        assert tv_l1_gpu.kernels("cpu") is tv_l1_gpu.PLAIN


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.filterwarnings("default", "error:TV-L1 runs uncompiled")  # what the compiler warns of is not ours
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_a_gpu_finds_what_the_cpu_finds(variant: str) -> None:
    previous, following = (np.stack(frames) for frames in zip(shifted(2, -1), shifted(0, 3), strict=True))
    cpu, gpu = (method_of(Parameters(), VARIANTS[variant], device)(previous, following) for device in ("cpu", "cuda"))
    for ours, theirs in zip(gpu, cpu, strict=True):
        assert np.hypot(*(ours - theirs)).mean() < 0.01


def test_frames_of_different_sizes_are_refused() -> None:
    with pytest.raises(RuntimeError):
        flow_of(torch.zeros(1, 1, 20, 20), torch.zeros(1, 1, 20, 21), Parameters(), CPU, refined)
