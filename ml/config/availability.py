"""What can be asked for but not run on this machine, and why; without importing what would run it."""

from pathlib import Path
from typing import get_args

from ml.config.flow import RAFT, FlowMethod
from ml.config.schema import Schema
from ml.config.weights import weights_folder

RAFT_WEIGHTS = {"large": "raft_large_C_T_SKHT_V2-ff5fadd5.pth", "small": "raft_small_C_T_V2-01064c6d.pth"}
"""Torchvision's names for the files."""


def weights_file(name: str) -> Path:
    """Where torch keeps a downloaded checkpoint."""
    return weights_folder() / name


def unavailable(method: Schema) -> str | None:
    """Why this machine cannot run a flow method; None where it can."""
    if isinstance(method, RAFT) and not (path := weights_file(RAFT_WEIGHTS[method.size])).is_file():
        return f"The weights {path.name} are not in {path.parent}"
    return None


def unavailable_methods() -> dict[str, str]:
    """Kind → reason, of the flow methods that this machine cannot run with their default parameters."""
    methods = (schema() for schema in get_args(get_args(FlowMethod)[0]))
    return {method.kind: reason for method in methods if (reason := unavailable(method))}
