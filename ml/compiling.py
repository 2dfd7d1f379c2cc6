"""Whether torch.compile works here: it needs a C++ compiler with Python's headers, on a GPU Triton too, and more. Trying tells."""

from subprocess import SubprocessError

import torch


def why_not_compiled(device: torch.device | str) -> str:
    """The first line of what goes wrong when something small is compiled and run; nothing where it works."""
    try:
        torch.compile(torch.sin)(torch.zeros(8, device=device))
    except (RuntimeError, ImportError, OSError, SubprocessError) as error:  # torch's own are of the first kind, Triton's of any
        return next(iter(str(error).strip().splitlines()), type(error).__name__)
    return ""
