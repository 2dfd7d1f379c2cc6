"""Small pictures that move by a known amount, and a dataset of packs without any video file."""

from pathlib import Path

import cv2
import numpy as np

from ml.config.data import FrameSpec, Manifest, Split, VideoEntry
from ml.config.flow import Farneback, FlowSpec
from ml.video.arrays import Floats, Pixels
from ml.video.manifest import save_manifest, store_of
from ml.video.pack import write_flow_pack, write_frame_pack

FRAMES = FrameSpec(short_side=48)
FLOW = FlowSpec(method=Farneback())
NUM_FRAMES, HEIGHT, WIDTH = 9, 48, 60


def texture(height: int, width: int, seed: int = 0) -> Pixels:
    """(H, W) smooth noise that uses the whole range of grey."""
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(height, width)), (0, 0), 2)
    return np.asarray(cv2.normalize(noise, np.empty_like(noise), 0, 255, cv2.NORM_MINMAX), np.uint8)


def moving(num_frames: int, dx: int, dy: int, height: int = HEIGHT, width: int = WIDTH, seed: int = 0) -> Pixels:
    """(T, H, W, 3): a texture that moves by (dx, dy) px/frame."""
    margin = num_frames * max(abs(dx), abs(dy), 1)
    whole = texture(height + 2 * margin, width + 2 * margin, seed)
    views = [whole[margin - t * dy :, margin - t * dx :][:height, :width] for t in range(num_frames)]
    return np.repeat(np.stack(views)[..., None], 3, axis=-1)


def fields(num_fields: int, seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Floats:
    """(n, 2, H, W) smooth fields of a few px/frame."""
    noise = np.random.default_rng(seed).normal(size=(num_fields * 2, height, width))
    smooth = np.stack([cv2.GaussianBlur(plane, (0, 0), 4) for plane in noise])
    return np.asarray(smooth * 30, np.float32).reshape(num_fields, 2, height, width)


def entry(number: int, label: str, group: str = "", **changes: object) -> VideoEntry:
    """A video of the manifest whose media are made up."""
    facts = {"frames": NUM_FRAMES, "fps": 25, "width": WIDTH, "height": HEIGHT, "duration_seconds": 0.36, "size_bytes": 1}
    return VideoEntry.model_validate(
        {
            "key": f"k{number}",
            "path": f"{label}/{number}.mp4",
            "media": f"{number:064x}",
            "label": label,
            "group": group,
            **facts,
            **changes,
        }
    )


def manifest_of(videos: list[VideoEntry], subsets: dict[str, str]) -> Manifest:
    """Classes in order of their names, one split “1”."""
    split = Split.model_validate({"name": "1", "origin": "csv", "subsets": subsets})
    classes = tuple(sorted({video.label for video in videos}))
    return Manifest(name="made up", layout="none", classes=classes, videos=tuple(videos), splits=(split,), frame_spec=FRAMES)


def packed_dataset(folder: Path, num_videos: int = 6, flow: FlowSpec | None = FLOW) -> Manifest:
    """Videos of two classes with their frame packs and, unless `flow` is None, made-up flow packs."""
    videos = [entry(number, "ab"[number % 2], f"g{number // 2}") for number in range(num_videos)]
    manifest = manifest_of(videos, {video.key: "train" for video in videos})
    store = store_of(folder, manifest)
    for number, video in enumerate(videos):
        pixels = np.random.default_rng(number).integers(0, 256, (NUM_FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8)
        write_frame_pack(store.frames(video.media, FRAMES.spec_id()), pixels, FRAMES)
        if flow:
            write_flow_pack(store.flow(video.media, FRAMES.spec_id(), flow.spec_id()), fields(NUM_FRAMES - 1, number), flow, FRAMES)
    save_manifest(folder, manifest)
    return manifest
