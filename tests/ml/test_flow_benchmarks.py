"""The benchmarks of optical flow run: those that need a GPU are led over tiny pictures on the CPU."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import flow, gpu, gpu_training
from ml.config.data import DataConfig
from ml.config.experiment import ExperimentConfig
from ml.config.models import TSN
from ml.config.training import TrainingConfig
from ml.flow.tv_l1 import VARIANTS, Parameters, method_of
from tests.media import draw_video

ROOT = Path(__file__).parents[2]
SIZE = (24, 32)
QUICK = Parameters(epsilon=0.5, num_scales=2, num_warps=1)


def test_the_gpus_rows_are_measured_with_batches_of_tiny_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)
    rows = list(gpu.tv_l1_rows("cpu", QUICK, SIZE, (1, 3), 1000))
    assert len(rows) == 2 * len(VARIANTS)
    for row in rows:
        rate = float(row.ours.split()[0])
        assert row.ratio == pytest.approx(rate / 30, abs=0.02) and "first call" in row.ours and row.bar == "≥ 300 pairs/s"
    assert [row.ours for row in gpu.agreement_rows("cpu", QUICK, SIZE, 2)] == ["mean EPE 0.00000 px"] * 2
    assert gpu.compiling_row("cpu", SIZE, 2).ratio is not None


def test_drawn_pairs_move_by_pixels_and_take_iterations() -> None:
    previous, following = gpu.moving_pairs(2, (64, 80), "cpu")
    assert previous.shape == following.shape == (2, 64, 80) and previous.dtype == np.uint8
    fields = method_of(Parameters(epsilon=0.1), VARIANTS["opencv_cpu"], "cpu")(previous, following)
    assert 0.5 < np.abs(fields).mean() < 10
    assert gpu.pixel_iterations((previous, following), QUICK, VARIANTS["opencv_cpu"], "cpu") > 2 * (64 * 80 + 51 * 64)


def test_without_a_gpu_it_says_so_and_needs_no_more_than_torch_and_numpy() -> None:
    code = """
import sys
for absent in ("pydantic", "cv2", "av", "django", "psutil", "safetensors"):
    sys.modules[absent] = None
import torch
torch.cuda.is_available = lambda: False
import benchmarks.gpu
print(*benchmarks.gpu.training_rows("cpu"))
benchmarks.gpu.main()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert "not measured: cv2, psutil, pydantic, safetensors not installed" in done.stdout
    assert done.returncode == 1 and "need an NVIDIA GPU" in done.stderr and "Traceback" not in done.stderr


def test_a_gpu_is_busy_while_the_loader_brings_batches_in_time() -> None:
    training = TrainingConfig(batch_size=2, device="cpu")
    config = ExperimentConfig(
        model=TSN(backbone="resnet10t"), data=DataConfig(num_segments=2, short_side=32, crop_size=32), training=training
    )
    row = gpu_training.busy_row(config, num_steps=3, num_settling=1, size=(40, 48))
    fed, alone = (float(rate.removeprefix("batch in memory: ").removesuffix(" videos/s")) for rate in (row.ours, row.alternative))
    assert row.what.startswith("TSN on resnet10t, K = 2, batches of 2, float32")
    assert row.ratio and (fed - 0.5) / (alone + 0.5) <= row.ratio <= (fed + 0.5) / (alone - 0.5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.filterwarnings("default", "error:TV-L1 runs uncompiled")  # what the compiler warns of is not ours
def test_a_gpu_reaches_the_bar() -> None:
    assert all(row.ratio and row.ratio >= 10 for row in gpu.tv_l1_rows("cuda", batches=(64,)))


def test_agreement_counts_levels_as_the_encoding_makes_them() -> None:
    zero = np.zeros((2, 4, 5), np.float32)
    off = zero.copy()
    off[0, 0, 0], off[1, 0, 1] = 0.157, 0.5
    found = flow.agreement(off, zero)
    assert found.epe == pytest.approx((0.157 + 0.5) / 20, rel=1e-5)
    assert found.equal == 38 / 40 and found.apart == 1 / 40


def test_real_pairs_are_frames_that_follow_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "fight-surv" / "fight"
    folder.mkdir(parents=True)
    draw_video(folder / "a.mp4")
    pairs = list(flow.real_pairs(tmp_path, (64, 48)))
    assert pairs and all(frame.shape == (48, 64) and frame.dtype == np.uint8 for pair in pairs for frame in pair)
    assert cv2.norm(pairs[0][0], pairs[0][1]) > 0
