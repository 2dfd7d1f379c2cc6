"""Optical flow: one file a method, two frames → (2, H, W) in pixels per frame, x then y."""

from collections.abc import Callable

from ml.config.flow import DIS, TVL1, Farneback
from ml.config.schema import Schema
from ml.flow.dis import dis
from ml.flow.farneback import farneback
from ml.flow.method import FlowMethod
from ml.flow.tv_l1 import tv_l1

METHODS: dict[type[Schema], Callable[..., FlowMethod]] = {
    TVL1: tv_l1,
    Farneback: farneback,
    DIS: dis,
}


def build_flow(method: Schema) -> FlowMethod:
    """The function that a method's schema describes.

    Raises:
        UserError: the method needs something that this machine does not have.
    """
    return METHODS[type(method)](**method.model_dump(exclude={"kind"}))
