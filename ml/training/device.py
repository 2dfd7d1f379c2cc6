"""Where a network runs, and what that costs."""

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import torch

from ml.errors import BadConfig, OutOfMemory
from ml.events import DeviceUse


def choose_device(name: str) -> torch.device:
    """ "auto" takes a GPU when there is one.

    Raises:
        BadConfig: "cuda" where there is none.
    """
    has_gpu = torch.cuda.is_available()
    if name == "cuda" and not has_gpu:
        raise BadConfig("The device “cuda” was asked for, and no usable NVIDIA GPU is here", "Choose the device “auto” or “cpu”.")
    return torch.device("cuda" if has_gpu and name != "cpu" else "cpu")


@contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """A full GPU is something the user can solve.

    Raises:
        OutOfMemory: instead of torch's own error.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        advice = f"Choose a batch size below {batch_size}, a smaller crop or a smaller backbone, or end what else uses the GPU."
        raise OutOfMemory(f"The GPU's memory does not hold a batch of {batch_size} videos", advice) from error


class Meter:
    """Measures this process and its loader processes; CPU use is since the last measurement, 100 % is one core."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.processes: dict[int, psutil.Process] = {}
        self._alive()

    def measure(self) -> DeviceUse:
        cpu, memory = 0.0, 0
        for process in self._alive():
            try:
                cpu += process.cpu_percent()
                memory += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        if self.device.type != "cuda":
            return DeviceUse("cpu", cpu, memory)
        name = torch.cuda.get_device_name(self.device)
        return DeviceUse(name, cpu, memory, self._gpu_percent(), torch.cuda.memory_reserved(self.device))

    def _alive(self) -> list[psutil.Process]:
        me = psutil.Process()
        for process in (me, *me.children(recursive=True)):
            self.processes.setdefault(process.pid, process)
        self.processes = {pid: process for pid, process in self.processes.items() if process.is_running()}
        return list(self.processes.values())

    def _gpu_percent(self) -> float | None:
        try:
            return float(torch.cuda.utilization(self.device))
        except ModuleNotFoundError:  # NVIDIA's management library has no Python binding here
            return None
