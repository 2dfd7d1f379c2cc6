"""A dataset of two classes, drawn straight into packs: left videos are dark, right ones bright, and they move accordingly."""

import hashlib
from pathlib import Path

import numpy as np

from ml.config.data import FlowInput, FrameSpec, Manifest, RGBInput, Split, VideoEntry
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, FlowSpec
from ml.video.manifest import save_manifest, store_of
from ml.video.pack import write_flow_pack, write_frame_pack

CLASSES = ("left", "right")
SPEC = FrameSpec(short_side=40)
FLOW = FlowSpec(method=DIS())
FRAMES, SIDE = 6, 40


def write_dataset(
    folder: Path, videos_per_class: int = 6, empty_class: str = "", name: str = "tiny", classes: tuple[str, ...] = CLASSES
) -> Path:
    """Per class: the last third of the videos are for the test, the others for training; two videos a group."""
    entries = [_entry(label, number) for label in classes for number in range(videos_per_class)]
    subsets = {
        entry.key: "test" if int(entry.key[-1]) >= videos_per_class * 2 // 3 or entry.label == empty_class else "train" for entry in entries
    }
    manifest = Manifest(
        name=name,
        layout="folder",
        frame_spec=SPEC,
        classes=classes,
        videos=tuple(entries),
        splits=(Split.model_validate({"name": "1", "origin": "generated", "subsets": subsets}),),
    )
    save_manifest(folder, manifest)
    store = store_of(folder, manifest)
    for seed, entry in enumerate(entries):
        sign = 2 * classes.index(entry.label) / (len(classes) - 1) - 1
        random = np.random.default_rng(seed)
        frames = (random.integers(0, 60, (FRAMES, SIDE, SIDE, 3)) + 80 * (sign + 1)).astype(np.uint8)
        fields = random.normal(0, 0.3, (FRAMES - 1, 2, SIDE, SIDE)).astype(np.float32) + np.float32(sign)
        frame_path = store.frames(entry.media, SPEC.spec_id())
        frame_path.parent.mkdir(parents=True, exist_ok=True)
        write_frame_pack(frame_path, list(frames), SPEC)
        write_flow_pack(store.flow(entry.media, SPEC.spec_id(), FLOW.spec_id()), list(fields), FLOW, SPEC)
    return folder


def _entry(label: str, number: int) -> VideoEntry:
    key = f"{label}/{number}"
    return VideoEntry(
        key=key, path=f"{key}.mp4", media=hashlib.sha256(key.encode()).hexdigest(), label=label, group=f"g{number // 2}",
        frames=FRAMES, fps=25, width=SIDE, height=SIDE, duration_seconds=FRAMES / 25, size_bytes=1,
    )  # fmt: skip


def spatial(dataset: Path, **training: object) -> ExperimentConfig:
    data = {"dataset": str(dataset), "short_side": 40, "crop_size": 32, "validation_fraction": 0.5}
    return ExperimentConfig.model_validate(
        {"data": {**data, "input": RGBInput()}, "training": {"epochs": 2, "batch_size": 4, "device": "cpu", **training}}
    )


def temporal(dataset: Path) -> ExperimentConfig:
    config = spatial(dataset)
    return config.replace(data=config.data.replace(input=FlowInput(stack_len=2, mean_subtraction=False, flow=FLOW)))
