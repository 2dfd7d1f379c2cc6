"""Optical flow: one file a method, two frames → (2, H, W) in pixels per frame, x then y.

A method's module is imported when it is asked for: OpenCV's need no torch, and those on torch nothing but torch and numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.config.schema import Schema
    from ml.flow.method import FlowMethod

METHODS = ("tv_l1", "brox", "farneback", "dis", "raft")
"""Each is the `kind` of a schema in `ml.config.flow`, a module here, and the function in it that builds the method."""

ON_TORCH = ("tv_l1", "brox", "raft")
"""Those that run on torch, hence on a GPU too; the others are OpenCV's."""

FROM_FILES = ("raft",)
"""Those that read a file, which may be missing or spoilt."""


def build_flow(method: "Schema", device: str = "cpu") -> "FlowMethod":
    """What a method's schema describes, ready to be called with frames.

    Args:
        device: where a method on torch does its work, "cpu" or "cuda"; OpenCV's run on the CPU.

    Raises:
        UserError: the method needs something that this machine does not have.
    """
    parameters = method.model_dump()
    kind = parameters.pop("kind")
    if kind in ON_TORCH:
        parameters["device"] = device
    flow: FlowMethod = getattr(import_module(f"ml.flow.{kind}"), kind)(**parameters)
    return flow
