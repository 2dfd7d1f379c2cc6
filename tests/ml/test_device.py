"""What is told of a GPU."""

import sys
from types import SimpleNamespace

import pytest
import torch

from ml.training.device import Meter


class NVMLError(Exception):
    """As in NVIDIA's library."""


@pytest.mark.parametrize(
    ("library", "error"),
    [(None, ModuleNotFoundError("no nvidia-ml-py")), ("there", NVMLError("Not Supported")), ("there", RuntimeError("no driver"))],
    ids=["no library", "no answer", "no driver"],
)
def test_a_gpu_that_cannot_say_how_busy_it_is_is_measured_but_for_that(
    monkeypatch: pytest.MonkeyPatch, library: str | None, error: Exception
) -> None:
    def broken(_device: torch.device) -> int:
        raise error

    monkeypatch.setitem(sys.modules, "pynvml", SimpleNamespace(NVMLError=NVMLError) if library else None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "H200")
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _device: 5)
    monkeypatch.setattr(torch.cuda, "utilization", broken)
    use = Meter(torch.device("cuda", 0)).measure()
    assert (use.device, use.gpu_percent, use.gpu_memory_bytes) == ("H200", None, 5)
