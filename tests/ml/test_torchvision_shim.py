"""The shim lets torchvision be imported on a CPU-only torch, and keeps its hands off a native build that works."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ml import torchvision_shim


def test_torchvision_and_timm_import_in_a_fresh_interpreter_after_the_shim() -> None:
    code = "import ml.torchvision_shim, torchvision, timm; print(torchvision.models.resnet18(num_classes=2).fc.out_features)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "2"


def test_a_native_build_that_loads_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(torch.ops, "load_library", loaded.append)

    assert torchvision_shim.loads(tmp_path / "_C.so")
    assert loaded == [tmp_path / "_C.so"]


def test_a_library_linked_to_missing_cuda_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "_C.so").write_bytes(b"no shared object")

    assert not torchvision_shim.loads(tmp_path / "_C.so")
    assert not torchvision_shim.loads(None)


def test_operators_are_declared_exactly_when_the_native_build_is_unusable() -> None:
    usable = torchvision_shim.loads(torchvision_shim.native_library())

    assert (torchvision_shim.DECLARED is None) == usable
    assert torch.ops.torchvision.nms is not None
