"""Where a network runs, and what that costs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import psutil
import torch

from ml.compiling import why_not_compiled
from ml.errors import BadConfig, OutOfMemory
from ml.events import DeviceUse


def choose_device(name: str, rank: int = 0, devices: int = 1) -> torch.device:
    """ "auto" takes a GPU when there is one; the process of this rank takes the GPU of this number.

    Raises:
        BadConfig: "cuda" where there is none, or more devices than there are GPUs.
    """
    num_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cuda" and not num_gpus:
        raise BadConfig("The device “cuda” was asked for, and no usable NVIDIA GPU is here", "Choose the device “auto” or “cpu”.")
    if name == "cpu" or not num_gpus:
        return torch.device("cpu")
    if devices > num_gpus:
        raise BadConfig(
            "{devices} GPUs were asked for, and this machine has {gpus}", "Choose at most {gpus} devices.", devices=devices, gpus=num_gpus
        )
    return torch.device("cuda", rank)


def check_compiler(device: torch.device) -> None:
    """Compile something small before anything depends on it.

    Raises:
        BadConfig: it does not work.
    """
    if reason := why_not_compiled(device):
        advice = "Install a C++ compiler with Python's headers (on a GPU also Triton), or turn “Compile” off."
        raise BadConfig("torch.compile does not work on this machine: {reason}", advice, reason=reason)


@contextmanager
def memory_errors(at_once: int) -> Iterator[None]:
    """A full GPU is something the user can solve.

    Raises:
        OutOfMemory: instead of torch's own error.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        advice = "Choose fewer than {at_once} videos at once, a smaller crop or a smaller backbone, or end what else uses the GPU."
        raise OutOfMemory("The GPU's memory does not hold {at_once} videos at once", advice, at_once=at_once) from error


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
        """None where NVIDIA's management library is missing (the package nvidia-ml-py), or does not answer, as in some containers."""
        try:
            return float(torch.cuda.utilization(self.device))
        except _not_managed():
            return None


def _not_managed() -> tuple[type[Exception], ...]:
    """What torch raises without the library, and what the library raises."""
    try:
        library = import_module("pynvml")
    except ModuleNotFoundError:
        return (ModuleNotFoundError,)
    return (RuntimeError, library.NVMLError)
