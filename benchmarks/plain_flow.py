"""Flow extraction as users script it with OpenCV: one process a core, two JPEG files a pair, and one a frame where frames are kept too."""

import os
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

BOUND = 20.0

METHODS: dict[str, Callable[[], Any]] = {
    "TV-L1": lambda: cv2.optflow.DualTVL1OpticalFlow_create(),  # type: ignore[attr-defined]  # OpenCV's stubs leave it out
    "Farnebäck": lambda: cv2.FarnebackOpticalFlow.create(3, 0.5, False, 15, 3, 5, 1.2, 0),
    "DIS": lambda: cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM),
}


def extract_all(method: str, clips: list[Path], num_frames: int, keeps_frames: bool, out: Path) -> int:
    """On all cores; the number of pairs."""
    with get_context("spawn").Pool(len(os.sched_getaffinity(0)), cv2.setNumThreads, (1,)) as pool:
        counts = pool.map(partial(extract_clip, method, num_frames, keeps_frames, out), clips, chunksize=1)
        pool.close()
        pool.join()
    return sum(counts)


def extract_clip(method: str, num_frames: int, keeps_frames: bool, out: Path, clip: Path) -> int:
    """`img_00000.jpg`, `x_00000.jpg`, `y_00000.jpg` and so on in a folder of the clip's name; the number of pairs."""
    folder = out / clip.stem
    folder.mkdir(parents=True)
    capture, solver = cv2.VideoCapture(str(clip)), METHODS[method]()
    previous = None
    for number in range(num_frames):
        is_read, frame = capture.read()
        if not is_read:
            return number - 1
        if keeps_frames:
            cv2.imwrite(str(folder / f"img_{number:05d}.jpg"), frame)
        following = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        if previous is not None:
            flow = solver.calc(previous, following, None)
            levels = np.rint((flow.clip(-BOUND, BOUND) + BOUND) * (255 / (2 * BOUND))).astype(np.uint8)
            for axis, letter in enumerate("xy"):
                cv2.imwrite(str(folder / f"{letter}_{number - 1:05d}.jpg"), levels[..., axis])
        previous = following
    return num_frames - 1


if __name__ == "__main__":
    method, keeps_frames, num_frames, out, *clips = sys.argv[1:]
    print(extract_all(method, [Path(clip) for clip in clips], int(num_frames), keeps_frames == "True", Path(out)))
