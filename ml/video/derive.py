"""Everything made from one video in one pass over its frames: frame pack, proxy, poster, facts."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import av.error
import cv2
from av.video.format import VideoFormat

from ml.config.data import FrameSpec
from ml.config.schema import Schema, Text
from ml.config.store import MediaStore
from ml.errors import BadVideo
from ml.failure import reason_of
from ml.process import atomic_path
from ml.video.arrays import Pixels
from ml.video.decode import TimedFrame, decode_timed
from ml.video.deposit import disk_full
from ml.video.leftovers import remove_leftovers
from ml.video.pack import write_frame_pack
from ml.video.probe import VideoFacts, probe
from ml.video.proxy import ProxyWriter, save_poster
from ml.words import Words

MAX_FRAMES = 500_000
"""About five hours; a small file can hold more, and fill any disk when unpacked."""

LITTLE = 50
"""The share of a video, a fiftieth, that may be missing at its end without a word."""

OTHER_TRACKS = 0.5
"""Seconds by which sound may outlast the pictures, and a file's duration so be longer than theirs."""

SAME_RHYTHM = 1.5
"""Longest step between two frames over the shortest, above which the frame rate is called variable."""


class MediaFacts(Schema):
    """What is true of a video's content whatever it is called; `frames` were counted. Kept as `facts.json`, written last."""

    version: int = 1
    frames: int
    fps: float
    width: int
    height: int
    duration_seconds: float
    codec: str
    suffixes: tuple[str, ...]
    notes: tuple[Text, ...]


def derive(store: MediaStore, media: str, spec: FrameSpec) -> MediaFacts:
    """Make what is missing of a video whose original lies in the store.

    Raises:
        BadVideo: it is no usable video; nothing was made.
        DiskFull: as its name says.
    """
    folder = store.folder(media)
    remove_leftovers(folder)
    made = (store.proxy(media), store.poster(media), store.frames(media, spec.spec_id()), folder / "facts.json")
    if all(path.is_file() for path in made):
        return MediaFacts.model_validate_json(made[-1].read_bytes())
    cv2.setNumThreads(1)
    try:
        facts = _make(store, media, spec)
    except (av.error.FFmpegError, OSError) as error:
        if error.errno == errno.ENOSPC:
            raise disk_full() from error
        raise BadVideo("It cannot be converted: {reason}", "Convert it to H.264 and import it again.", reason=reason_of(error)) from error
    except MemoryError as error:
        raise BadVideo("It needs more memory than one video may take", "Scale the video down.") from error
    with atomic_path(made[-1]) as temporary:
        temporary.write_text(facts.model_dump_json(), encoding="utf-8")
    return facts


def _make(store: MediaStore, media: str, spec: FrameSpec) -> MediaFacts:
    original = store.original(media)
    claimed = probe(original)
    with atomic_path(store.proxy(media)) as path, ProxyWriter(path, claimed.width, claimed.height, claimed.fps) as proxy:
        witness = _Witness(proxy, poster_index=claimed.frames // 2)
        write_frame_pack(store.frames(media, spec.spec_id()), witness.watch(decode_timed(original)), spec)
    if witness.poster is None:
        raise BadVideo("No frame of it can be decoded", "Check that it plays; convert it to H.264 if it does.")
    save_poster(witness.poster, store.poster(media))
    return _facts(claimed, witness.times)


@dataclass
class _Witness:
    """Sees every frame pass on its way into the pack: hands it to the proxy, keeps the poster and the times."""

    proxy: ProxyWriter
    poster_index: int
    poster: Pixels | None = None
    times: list[float] = field(default_factory=list)

    def watch(self, frames: Iterable[TimedFrame]) -> Iterator[Pixels]:
        for index, frame in enumerate(frames):
            if index == MAX_FRAMES:
                raise BadVideo("It has more than {limit} frames", "Cut it into shorter videos.", limit=f"{MAX_FRAMES:,}")
            if index in (0, self.poster_index):
                self.poster = frame.pixels
            self.times.append(frame.seconds)
            self.proxy.add(frame.pixels, frame.seconds)
            yield frame.pixels


def _facts(claimed: VideoFacts, times: list[float]) -> MediaFacts:
    return MediaFacts(
        frames=len(times),
        fps=claimed.fps,
        width=claimed.width,
        height=claimed.height,
        duration_seconds=times[-1] + 1 / claimed.fps,
        codec=claimed.codec,
        suffixes=tuple(sorted(claimed.suffixes)),
        notes=tuple(_notes(claimed, times)),
    )


def _notes(claimed: VideoFacts, times: list[float]) -> Iterator[Words]:
    steps = [later - earlier for earlier, later in pairwise(times)]
    is_variable = bool(steps) and max(steps) > SAME_RHYTHM * min(steps)
    if len(times) == 1:
        yield Words("one frame: no flow")
    if is_variable and not claimed.counts_frames:  # how many there were, nobody knows
        yield from _cut_in_time(times[-1] + max(steps), claimed.duration_seconds)
    elif len(times) < claimed.frames - _unremarkable_frames(claimed):
        yield Words("cut off or damaged: {read} of {claimed} frames could be read", read=len(times), claimed=claimed.frames)
    if is_variable:
        yield Words("variable frame rate")
    if claimed.is_interlaced:
        yield Words("interlaced: each frame is woven of two moments")
    if _bits_a_colour(claimed.pixel_format) > 8:
        yield Words("more than 8 bits a colour: reduced to 8")


def _unremarkable_frames(claimed: VideoFacts) -> float:
    """How many may be missing without a word; more where their number was guessed from the duration of the file."""
    guessed = 0.0 if claimed.counts_frames else OTHER_TRACKS * claimed.fps
    return max(1.0, claimed.frames / LITTLE, guessed)


def _cut_in_time(read: float, claimed: float) -> Iterator[Words]:
    if read < claimed - max(OTHER_TRACKS, claimed / LITTLE):
        yield Words("cut off or damaged: {read} of {claimed} seconds could be read", read=f"{read:.1f}", claimed=f"{claimed:.1f}")


def _bits_a_colour(pixel_format: str) -> int:
    """Of FFmpeg's name for it, which need not say so: “yuv410p” and “nv12” have 8."""
    return max(part.bits for part in VideoFormat(pixel_format).components) if pixel_format else 8
