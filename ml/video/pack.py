"""Frame packs and flow packs: every frame of a video as one JPEG, every flow field as two grey ones, in one file.

A frame pack depends on its `FrameSpec`; a flow pack on its `FlowSpec` and on the `FrameSpec` of the frames it was made from.
Both are stamped with what they depend on and refuse to open as anything else; the versions of the packages that made them stand beside.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from ml.config.data import FrameSpec
from ml.config.flow import FlowSpec
from ml.errors import BadPack, BadVideo
from ml.flow.encode import from_levels, to_levels
from ml.versions import installed_versions
from ml.video.arrays import Floats, Number, Pixels
from ml.video.blobs import BlobFile, Stamp, write_blobs

_COMPONENT = struct.Struct("<ffI")  # low, high, JPEG bytes
MAKERS = ("av", "opencv-contrib-python-headless", "torch")  # what pixels and fields come from
ALL_LEVELS = np.arange(256, dtype=np.uint8)


def reduced_size(width: int, height: int, short_side: int) -> tuple[int, int]:
    """(width, height) with the short side reduced to `short_side`; what is smaller stays as it is."""
    scale = min(1.0, short_side / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def write_frame_pack(path: Path, frames: Iterable[Pixels], spec: FrameSpec) -> int:
    """Write (H, W, 3) RGB frames, reduced to the spec's short side; the file's size in bytes.

    Raises:
        BadVideo: no frame came, or one of another size.
    """
    return write_blobs(path, _frame_stamp(spec), _frame_blobs(frames, spec), installed_versions(MAKERS))


def write_flow_pack(path: Path, fields: Iterable[Floats], flow_spec: FlowSpec, frame_spec: FrameSpec) -> int:
    """Write (2, H, W) fields in px/frame; the file's size in bytes.

    Raises:
        BadVideo: no field came: flow needs two frames.
    """
    return write_blobs(path, _flow_stamp(flow_spec, frame_spec), _flow_blobs(fields, flow_spec), installed_versions(MAKERS))


class _Pack:
    """What both kinds of pack share: length, closing, `with`."""

    def __init__(self, path: Path, stamp: Stamp) -> None:
        self._blobs = BlobFile(path, stamp)

    def __len__(self) -> int:
        return len(self._blobs)

    def close(self) -> None:
        self._blobs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class FramePack(_Pack):
    """The frames of one video.

    Raises:
        BadPack: the file is foreign, damaged, or made with another spec.
    """

    def __init__(self, path: Path, spec: FrameSpec) -> None:
        super().__init__(path, _frame_stamp(spec))

    def read(self, indices: Sequence[int]) -> Pixels:
        """(n, H, W, 3) uint8 RGB."""
        return _gathered((self._frame(index) for index in indices), len(indices))

    def read_grey(self, indices: Sequence[int]) -> Pixels:
        """(n, H, W) uint8: 0.299 R + 0.587 G + 0.114 B, what optical flow is estimated on."""
        return _gathered((np.asarray(cv2.cvtColor(self._frame(index), cv2.COLOR_RGB2GRAY), np.uint8) for index in indices), len(indices))

    def _frame(self, index: int) -> Pixels:
        return _from_jpeg(self._blobs[index], cv2.IMREAD_COLOR_RGB, self._blobs.path)


class FlowPack(_Pack):
    """The flow fields of one video: field t leads from frame t to frame t + 1.

    Raises:
        BadPack: the file is foreign, damaged, or made with another spec.
    """

    def __init__(self, path: Path, flow_spec: FlowSpec, frame_spec: FrameSpec) -> None:
        super().__init__(path, _flow_stamp(flow_spec, frame_spec))
        self._encoding = flow_spec.encoding

    def read(self, indices: Sequence[int]) -> Floats:
        """(n, 2, H, W) float32, px/frame of the stored frames, x then y."""
        components = _gathered((component for index in indices for component in self._field(index)), 2 * len(indices))
        return components.reshape(len(indices), 2, *components.shape[1:])

    def _field(self, index: int) -> Iterator[Floats]:
        """x, then y."""
        blob, start = self._blobs[index], 0
        for _ in ("x", "y"):
            low, high, size = _COMPONENT.unpack_from(blob, start)
            start += _COMPONENT.size
            levels = _from_jpeg(blob[start : start + size], cv2.IMREAD_GRAYSCALE, self._blobs.path)
            yield np.asarray(cv2.LUT(levels, from_levels(ALL_LEVELS, self._encoding, low, high)), np.float32)
            start += size


def _gathered(images: Iterator[NDArray[Number]], count: int) -> NDArray[Number]:
    """(count, …): each image is copied as soon as it is decoded, while it is in the cache."""
    first = next(images)
    if count == 1:
        return first[None]
    gathered = np.empty((count, *first.shape), first.dtype)
    for number, image in enumerate(chain([first], images)):
        gathered[number] = image
    return gathered


def _frame_stamp(spec: FrameSpec) -> Stamp:
    return {"kind": "frames", "frames": spec.model_dump(mode="json")}


def _flow_stamp(flow_spec: FlowSpec, frame_spec: FrameSpec) -> Stamp:
    return {"kind": "flow", "flow": flow_spec.model_dump(mode="json"), "frames": frame_spec.model_dump(mode="json")}


def _frame_blobs(frames: Iterable[Pixels], spec: FrameSpec) -> Iterator[bytes]:
    first: tuple[int, ...] = ()
    for number, frame in enumerate(frames):
        first = first or frame.shape
        if frame.shape != first:
            raise BadVideo(
                "Frame {number} is {width}×{height}, those before it {first_width}×{first_height}",
                number=number,
                width=frame.shape[1],
                height=frame.shape[0],
                first_width=first[1],
                first_height=first[0],
            )
        yield _to_jpeg(np.asarray(cv2.cvtColor(_reduced(frame, spec.short_side), cv2.COLOR_RGB2BGR), np.uint8), spec.quality)
    if not first:
        raise BadVideo("No frame could be read")


def _reduced(frame: Pixels, short_side: int) -> Pixels:
    found = (frame.shape[1], frame.shape[0])
    size = reduced_size(*found, short_side)
    return frame if size == found else np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def _flow_blobs(fields: Iterable[Floats], spec: FlowSpec) -> Iterator[bytes]:
    has_fields = False
    for field in fields:
        has_fields = True
        yield b"".join(_component_bytes(component, spec) for component in field)
    if not has_fields:
        raise BadVideo("No flow: needs two frames")


def _component_bytes(component: Floats, spec: FlowSpec) -> bytes:
    levels, low, high = to_levels(component, spec.encoding, spec.bound)
    jpeg = _to_jpeg(levels, spec.quality)
    return _COMPONENT.pack(low, high, len(jpeg)) + jpeg


def _to_jpeg(image: Pixels, quality: int) -> bytes:
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise BadVideo(
            "A frame of {width}×{height} cannot be stored as JPEG",
            "JPEG ends at 65,535 pixels a side.",
            width=image.shape[1],
            height=image.shape[0],
        )
    return jpeg.tobytes()


def _from_jpeg(jpeg: bytes, flag: int, path: Path) -> Pixels:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), flag)
    if image is None:
        raise BadPack("{path} holds an image that cannot be decoded", "Delete the file; the next import makes it anew.", path=path)
    return np.asarray(image, np.uint8)
