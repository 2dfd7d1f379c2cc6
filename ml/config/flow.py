"""Optical flow: the methods, their parameters, and how a field is stored."""

from typing import Annotated, Literal

from pydantic import Field

from ml.config.schema import Schema, knob


class TVL1(Schema):
    """TV-L1 (Zach, Pock & Bischof 2007), the same numbers as OpenCV contrib's: the standard of two-stream networks."""

    kind: Literal["tv_l1"] = "tv_l1"
    variant: Literal["opencv_cpu", "opencv_cuda"] = knob(
        "opencv_cpu",
        "Variant",
        "OpenCV's CPU version, with a median filter between rounds of iterations, or its CUDA version, which TSN and denseflow used.",
    )
    tau: float = knob(0.25, "Time step τ", "Step of the dual ascent.", gt=0, le=0.25, advanced=True)
    lambda_: float = knob(0.15, "Attachment λ", "Weight of the data term: smaller gives smoother flow.", gt=0, le=10, advanced=True)
    theta: float = knob(0.3, "Tightness θ", "Coupling between the data and the smoothness term.", gt=0, le=10, advanced=True)
    epsilon: float = knob(
        0.01,
        "Stopping threshold ε",
        "Iterations end when the field moves less than this; 0.05 is about twice as fast.",
        gt=0,
        le=1,
        unit="px",
    )
    num_scales: int = knob(5, "Pyramid scales", "Levels of the image pyramid.", ge=1, le=10, advanced=True)
    scale_step: float = knob(0.8, "Scale step", "Size ratio between two levels of the pyramid.", gt=0.3, lt=1, advanced=True)
    num_warps: int = knob(5, "Warps per scale", "How often the second frame is warped at each scale.", ge=1, le=20, advanced=True)


class Brox(Schema):
    """Brox et al. 2004, as OpenCV computes it in CUDA: what the two-stream paper used."""

    kind: Literal["brox"] = "brox"
    alpha: float = knob(0.197, "Smoothness α", "Weight of the smoothness term: larger gives smoother flow.", gt=0, le=10)
    gamma: float = knob(50.0, "Gradient weight γ", "Weight of the constancy of the gradient beside that of the brightness.", ge=0, le=1000)
    scale_step: float = knob(0.8, "Scale step", "Size ratio between two levels of the pyramid.", ge=0.5, le=0.95, advanced=True)
    num_levels: int = knob(150, "Pyramid levels", "At most so many; there is none below a picture of 15 px.", ge=1, le=200, advanced=True)
    num_inner: int = knob(
        5, "Inner iterations", "How often the robust weights are computed anew at each level.", ge=1, le=50, advanced=True
    )
    num_sweeps: int = knob(10, "Solver sweeps", "Sweeps of the linear solver in each inner iteration.", ge=1, le=100, advanced=True)


class Farneback(Schema):
    """Polynomial expansion (Farnebäck 2003) through OpenCV: fast, smooth."""

    kind: Literal["farneback"] = "farneback"
    pyramid_scale: float = knob(0.5, "Pyramid scale", "Size ratio between two levels of the pyramid.", gt=0.1, lt=1, advanced=True)
    num_levels: int = knob(3, "Pyramid levels", "Levels of the image pyramid, the original included.", ge=1, le=10, advanced=True)
    window_size: int = knob(15, "Window", "Averaging window: larger is smoother and blurs motion borders.", ge=3, le=63, unit="px")
    num_iterations: int = knob(3, "Iterations", "Iterations at each pyramid level.", ge=1, le=20, advanced=True)
    poly_n: Literal[5, 7] = knob(5, "Polynomial neighbourhood", "Pixels used to fit each polynomial.", unit="px", advanced=True)
    poly_sigma: float = knob(1.2, "Polynomial σ", "Gaussian that weighs the neighbourhood.", gt=0, le=3, unit="px", advanced=True)


class DIS(Schema):
    """Dense Inverse Search (Kroeger et al. 2016) through OpenCV: the fastest choice."""

    kind: Literal["dis"] = "dis"
    preset: Literal["ultrafast", "fast", "medium"] = knob("medium", "Preset", "OpenCV's trade between speed and detail.")


class RAFT(Schema):
    """RAFT (Teed & Deng 2020) through torchvision: a network, whose weights must be on the machine."""

    kind: Literal["raft"] = "raft"
    size: Literal["small", "large"] = knob("large", "Network", "The large one has 5.3 million parameters, the small one 1.0 million.")
    num_updates: int = knob(12, "Updates", "How often the field is refined.", ge=1, le=64)


FlowMethod = Annotated[TVL1 | Brox | Farneback | DIS | RAFT, Field(discriminator="kind")]

ON_TORCH = ("tv_l1", "brox", "raft")
"""Kinds that a GPU makes faster; `ml.flow` says the same where there is no pydantic."""


class FlowSpec(Schema):
    """All that a stored flow field depends on; stamped on the pack and kept with the run."""

    method: FlowMethod = knob(TVL1(), "Method", "How the motion between two frames is estimated.")
    encoding: Literal["range", "bound"] = knob(
        "range",
        "Encoding",
        "How a displacement becomes 8 bits: each field's own range, kept beside it (two-stream paper), or one fixed bound (TSN).",
    )
    bound: float = knob(
        20.0,
        "Bound",
        "Displacements beyond ± this are clipped when the encoding is the fixed bound.",
        gt=0,
        le=128,
        unit="px/frame",
        advanced=True,
    )
    quality: int = knob(95, "JPEG quality", "Quality of the stored field images.", ge=50, le=100, advanced=True)
