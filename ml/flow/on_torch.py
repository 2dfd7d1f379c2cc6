"""What the methods on torch share: frames from the host's memory to the device, fields back."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ml.errors import OutOfMemory
from ml.flow.method import FlowMethod
from ml.video.arrays import Floats, Pixels


def on_torch(of_tensors: Callable[[Tensor, Tensor], Tensor], device: str, gpu_batch: int) -> FlowMethod:
    """One pair at a time on a CPU, for its caches; on a GPU so many, or half as many where its memory does not hold them, and so on.

    Args:
        of_tensors: grey levels (B, 1, H, W) float32 on the device, twice → px/frame (B, 2, H, W).
    """
    without_gradients = torch.inference_mode if device == "cpu" else torch.no_grad  # what is compiled writes into its inputs

    def of_batch(previous: Pixels, following: Pixels) -> Floats:
        I0, I1 = (torch.from_numpy(np.ascontiguousarray(frames)).to(device)[:, None].float() for frames in (previous, following))
        with without_gradients():
            fields: Floats = of_tensors(I0, I1).cpu().numpy()
        return fields

    return FlowMethod(within_memory(of_batch), gpu_batch if device == "cuda" else 1)


def within_memory(of_batch: Callable[[Pixels, Pixels], Floats]) -> Callable[[Pixels, Pixels], Floats]:
    """The same, in halves where the GPU's memory is too small, for large pictures or for what else is on it.

    Raises:
        OutOfMemory: it does not hold a single pair.
    """

    def in_parts(previous: Pixels, following: Pixels) -> Floats:
        try:
            return of_batch(previous, following)
        except torch.cuda.OutOfMemoryError as error:
            if len(previous) == 1:
                raise _no_pair_fits(previous) from error
        torch.cuda.empty_cache()  # out here, where the error no longer holds what was computed
        half = len(previous) // 2
        return np.concatenate([in_parts(previous[part], following[part]) for part in (slice(half), slice(half, None))])

    return in_parts


def _no_pair_fits(frames: Pixels) -> OutOfMemory:
    H, W = frames.shape[1:]
    return OutOfMemory(
        "The GPU's memory does not hold the flow of one pair of {width} × {height} px",
        "End what else uses the GPU, or extract with fewer processes.",
        width=W,
        height=H,
    )
