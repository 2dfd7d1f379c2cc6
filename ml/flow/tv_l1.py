"""TV-L1 optical flow (Zach, Pock & Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", DAGM 2007).

    min over u, v of  Σ |∇u1| + |∇u2| + λ |ρ(v)| + 1/(2θ) |u - v|²,   ρ(v) = I1(x + u0) + ∇I1 (v - u0) - I0

as OpenCV contrib computes it (DualTVL1), with its median filter between outer iterations.
"""

import cv2
import numpy as np

from ml.errors import UserError
from ml.flow.method import FlowMethod, pair_by_pair
from ml.video.arrays import Floats, Pixels


def tv_l1(*, tau: float, lambda_: float, theta: float, epsilon: float, num_scales: int, scale_step: float, num_warps: int) -> FlowMethod:
    """A function of two grey frames.

    Raises:
        UserError: this machine's OpenCV lacks the contrib modules.
    """
    if not hasattr(cv2, "optflow"):
        raise UserError(
            "TV-L1 needs OpenCV's contrib modules, which this machine does not have",
            "Install opencv-contrib-python-headless in place of other opencv packages, or choose Farnebäck or DIS.",
        )
    solver = cv2.optflow.DualTVL1OpticalFlow_create()  # type: ignore[attr-defined]  # OpenCV's stubs leave it out
    solver.setTau(tau)
    solver.setLambda(lambda_)
    solver.setTheta(theta)
    solver.setEpsilon(epsilon)
    solver.setScalesNumber(num_scales)
    solver.setScaleStep(scale_step)
    solver.setWarpingsNumber(num_warps)

    def flow(previous: Pixels, following: Pixels) -> Floats:
        field = np.asarray(solver.calc(previous, following, None), np.float32)  # (H, W, 2)
        return field.transpose(2, 0, 1)

    return pair_by_pair(flow)
