"""One video → its classes: decode, frame pack, flow where a stream needs it, views, networks, fusion."""

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.config.data import FrameSpec, VideoEntry
from ml.config.evaluation import Protocol
from ml.errors import BadVideo
from ml.evaluation.fusion import how_tested
from ml.evaluation.scores import softmax
from ml.evaluation.views import aggregate, score_views
from ml.evaluation.whole_frames import prepare
from ml.events import Progress
from ml.prediction.packs import pack_for
from ml.prediction.source import Source, Stream
from ml.video.dataset import iter_views
from ml.video.decode import decode_frames
from ml.video.pack import FramePack, write_frame_pack
from ml.video.probe import VideoFacts, probe
from ml.video.proxy import write_poster, write_proxy
from ml.words import Words, joined

TOP = 5
Floats = NDArray[np.float32]


class Stopwatch(dict[str, float]):
    """Seconds by what they were spent on."""

    @contextmanager
    def on(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self[what] = self.get(what, 0.0) + time.perf_counter() - started


def predict(
    source: Source, video: Path, protocol: Protocol | None = None, top: int = TOP, name: str = ""
) -> Generator[Progress, None, dict[str, Any]]:
    """Tells its steps; returns `top` [[class, p]…], `streams` (what each says), `protocol`, `video`, `seconds`.

    Args:
        protocol: None means what each stream was tested with.
        name: what people call the file, where it lies under another name.

    Raises:
        BadVideo: the file is no usable video.
    """
    streams = [replace(stream, protocol=protocol or stream.protocol) for stream in source.streams]
    seconds, steps = Stopwatch(), len(streams) + 1
    with TemporaryDirectory(prefix="kinetoscope-") as folder, ExitStack() as open_packs, _naming(name or video.name), seconds.on("total"):
        yield Progress(0, steps, "steps", "reading the video")
        with seconds.on("reading"):
            facts, packs = probe(video), _frame_packs(streams, video, Path(folder))
        for frames in packs.values():
            open_packs.enter_context(frames)
        scores = []
        for done, stream in enumerate(streams, start=1):
            yield Progress(done, steps, "steps", Words("asking {stream}", stream=stream.name))
            scores.append(_score(stream, packs[stream.frame_spec.spec_id()], Path(folder), seconds))
        num_frames = len(frames)
        yield Progress(steps, steps, "steps", "done")
    said = [
        {"name": s.name, "modality": s.data.input.modality, "top": ranked(x, source.classes, top)}
        for s, x in zip(streams, scores, strict=True)
    ]
    return {
        "top": ranked(source.fusion(scores) if source.fusion else scores[0], source.classes, top),
        "streams": said,
        "protocol": describe(source, streams),
        "video": _video(facts, num_frames),
        "seconds": {what: round(spent, 3) for what, spent in seconds.items()},
    }


def write_playable(video: Path, folder: Path, name: str = "") -> None:
    """What a page shows beside the answer: `proxy.mp4`, which any browser plays, and `poster.jpg`."""
    with _naming(name or video.name):
        write_proxy(video, folder / "proxy.mp4")
        write_poster(video, folder / "poster.jpg")


def ranked(scores: Floats, classes: tuple[str, ...], top: int) -> list[list[Any]]:
    """(N,) scores → [[class, p], …], the likeliest first."""
    p = softmax(scores)
    return [[classes[index], float(p[index])] for index in np.argsort(-p, kind="stable")[:top]]


def describe(source: Source, streams: list[Stream]) -> str:
    """How the answer came about."""
    how = how_tested(stream.description for stream in streams)
    return joined([how, source.fusion.description]) if source.fusion else how


def _frame_packs(streams: list[Stream], video: Path, folder: Path) -> dict[str, FramePack]:
    """A frame pack for each spec that a stream was trained on (one, as a rule), by the spec's id."""
    specs: dict[str, FrameSpec] = {stream.frame_spec.spec_id(): stream.frame_spec for stream in streams}
    for spec_id, spec in specs.items():
        write_frame_pack(folder / f"{spec_id}.pack", decode_frames(video), spec)
    return {spec_id: FramePack(folder / f"{spec_id}.pack", spec) for spec_id, spec in specs.items()}


def _score(stream: Stream, frames: FramePack, folder: Path, seconds: Stopwatch) -> Floats:
    """(N,) scores of the video by one stream."""
    with seconds.on(stream.name):
        pack = pack_for(frames, stream.frame_spec, stream.data.input, folder)
        prepare(stream.model, stream.data, stream.protocol)
        views = iter_views(pack, _NO_ENTRY, stream.data, stream.protocol, stream.num_segments)
        return aggregate(score_views(stream.model, views), stream.protocol.aggregation)


_NO_ENTRY = VideoEntry(
    key="", path="", media="0" * 64, label="", frames=0, fps=0, width=0, height=0, duration_seconds=0, size_bytes=0
)  # what `iter_views` asks a dataset's reader for; a pack needs none


def _video(facts: VideoFacts, num_frames: int) -> dict[str, Any]:
    """What the page says of the video; `frames` are those that were read."""
    notes = (
        []
        if not facts.frames or abs(facts.frames - num_frames) <= 2
        else [Words("The header promises {claimed} frames, {read} could be read.", claimed=facts.frames, read=num_frames)]
    )
    return {
        "frames": num_frames,
        "fps": facts.fps,
        "width": facts.width,
        "height": facts.height,
        "duration_seconds": facts.duration_seconds,
        "codec": facts.codec,
        "notes": notes,
    }


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say which file is bad."""
    try:
        yield
    except BadVideo as error:
        raise BadVideo("{name}: {problem}", error.advice, name=name, problem=error.message) from error
