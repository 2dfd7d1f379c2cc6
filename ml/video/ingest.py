"""From a plan to a dataset: every video copied, decoded once, written down; a bad one never stops the rest."""

import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ml.config.data import FrameSpec, Manifest, Refusal, Split, VideoEntry
from ml.config.partition import Clip, generate_split
from ml.config.store import MediaStore
from ml.errors import BadLayout, BadVideo, UserError
from ml.events import Event, Finished, Progress, Started, Stopped, VideoDone, VideoFailed
from ml.process import Stop, locked
from ml.video.crew import Crew
from ml.video.deposit import deposit
from ml.video.derive import MediaFacts, derive
from ml.video.findings import data_findings
from ml.video.forecast import Forecast
from ml.video.layouts.plan import Item, Plan
from ml.video.manifest import save_manifest
from ml.video.names import suffix_of
from ml.words import Words, counted

POLL_SECONDS = 0.5
SECONDS_PER_VIDEO = 300.0
SECONDS_PER_MEBIBYTE = 5.0


@dataclass(frozen=True)
class Options:
    """What an import may be told."""

    name: str
    store: Path
    frame_spec: FrameSpec = field(default_factory=FrameSpec)
    test_fraction: float = 0.3
    seed: int = 0
    num_processes: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))


@dataclass(frozen=True)
class Work:
    """What a process of the crew is given: one video of the store."""

    store: Path
    media: str
    frame_spec: FrameSpec


def derive_one(work: Work) -> MediaFacts:
    """`derive`, as a crew calls it."""
    return derive(MediaStore(work.store), work.media, work.frame_spec)


class Ingest:
    """One import. `run` tells what happens and ends with the manifest written, or with Stopped.

    Files come one after the other from the sources; each content is decoded once, by a crew, while the next files come in.
    """

    def __init__(self, plan: Plan, out: Path, options: Options) -> None:
        self._plan, self._out, self._options = plan, out, options
        self._store = MediaStore(options.store.resolve())
        self._forecast = Forecast(self._store, plan.items)
        self._known: dict[str, MediaFacts | BadVideo] = {}
        self._waiting: defaultdict[str, list[tuple[Item, int]]] = defaultdict(list)
        self._entries: dict[str, VideoEntry] = {}
        self._refused = list(plan.problems)
        self._num_done = 0

    def run(self, stop: Stop) -> Iterator[Event]:
        """
        Raises:
            DiskFull: it is, or will be.
            BadLayout: no video can be used.
        """
        self._store.root.mkdir(parents=True, exist_ok=True)
        with locked(self._out), Crew(derive_one, self._options.num_processes) as crew:
            self._forecast.check()
            yield Started("ingest", len(self._plan.items), "videos")
            for item in sorted(self._plan.items, key=lambda item: item.member.place):
                yield from self._take(item, crew)
                if stop.requested:
                    break
            while crew.num_busy and not stop.requested:
                yield from self._collect(crew, POLL_SECONDS)
            if stop.requested:
                yield Stopped("Start the import again: it goes on where it stopped.")
            else:
                yield self._finish()

    def _take(self, item: Item, crew: Crew[Work, MediaFacts]) -> Iterator[Event]:
        """Copy one file in and have it decoded, unless its content is known."""
        try:
            media, size = deposit(self._store, item.member)
        except BadVideo as error:
            yield from self._refuse(item, error)
            return
        if media in self._known:
            yield from self._settle(item, media, size, self._known[media])
            return
        is_first = media not in self._waiting
        self._waiting[media].append((item, size))
        if is_first:
            while crew.is_full:
                yield from self._collect(crew, POLL_SECONDS)
            limit = SECONDS_PER_VIDEO + SECONDS_PER_MEBIBYTE * size / 2**20
            crew.give(media, Work(self._store.root, media, self._options.frame_spec), limit)
        yield from self._collect(crew, 0)

    def _collect(self, crew: Crew[Work, MediaFacts], seconds: float) -> Iterator[Event]:
        for media, answer in crew.collect(seconds):
            if isinstance(answer, UserError) and not isinstance(answer, BadVideo):
                raise answer
            self._known[media] = answer
            for item, size in self._waiting.pop(media):
                yield from self._settle(item, media, size, answer)

    def _settle(self, item: Item, media: str, size: int, answer: MediaFacts | BadVideo) -> Iterator[Event]:
        if isinstance(answer, BadVideo):
            self._discard(media)
            yield from self._refuse(item, answer)
            return
        self._forecast.note(media, size)
        entry = _entry(item, media, size, answer)
        self._entries[item.member.name] = entry
        yield VideoDone(entry.key, size)
        yield self._progress(entry.path)

    def _refuse(self, item: Item, error: BadVideo) -> Iterator[Event]:
        name = item.member.name
        self._refused.append(Refusal(path=name, reason=error.message, advice=error.advice))
        yield VideoFailed(name, error.message, error.advice)
        yield self._progress(name)

    def _progress(self, message: str) -> Progress:
        self._num_done += 1
        return Progress(self._num_done, len(self._plan.items), "videos", message)

    def _discard(self, media: str) -> None:
        """A refused file takes no room, unless an earlier import could use it."""
        folder = self._store.folder(media)
        if not (folder / "facts.json").exists():
            shutil.rmtree(folder, ignore_errors=True)

    def _finish(self) -> Finished:
        manifest = self._manifest()
        save_manifest(self._out, manifest)
        return Finished(
            {
                "videos": len(manifest.videos),
                "refused": len(manifest.refused),
                "classes": len(manifest.classes),
                "splits": [split.name for split in manifest.splits],
                "findings": len(manifest.findings),
                "leaks": sum(finding.kind == "leak" for finding in manifest.findings),
                "bytes": sum(video.size_bytes for video in manifest.videos),
            }
        )

    def _manifest(self) -> Manifest:
        """Videos in the plan's order; classes that have one, in the plan's order."""
        videos = [self._entries[item.member.name] for item in self._plan.items if item.member.name in self._entries]
        if not videos:
            raise self._nothing_usable()
        present = {video.label for video in videos}
        splits = self._splits(videos)
        return Manifest(
            name=self._options.name,
            layout=self._plan.layout,
            store=_relative(self._store.root, self._out.resolve()),
            frame_spec=self._options.frame_spec,
            classes=tuple(name for name in self._plan.classes if name in present),
            videos=tuple(videos),
            splits=tuple(splits),
            refused=tuple(self._refused),
            findings=(*self._plan.findings, *data_findings(videos, splits, self._plan.classes)),
        )

    def _nothing_usable(self) -> BadLayout:
        """Names the first video that was tried, and not a file that never was one."""
        number, first = len(self._plan.items), self._refused[len(self._plan.problems)]
        none = counted("The only video cannot be used", "None of {count} videos can be used", number)
        return BadLayout("{none}; {path}: {reason}", first.advice, none=none, path=first.path, reason=first.reason)

    def _splits(self, videos: list[VideoEntry]) -> list[Split]:
        """Those of the data; else one of ours."""
        if self._plan.splits:
            return [
                Split(
                    name=split.name,
                    origin=split.origin,
                    subsets={self._entries[name].key: subset for name, subset in split.subsets.items() if name in self._entries},
                )
                for split in self._plan.splits
            ]
        clips = [Clip(video.key, video.label, video.group, video.media) for video in videos]
        return [Split(name="1", origin="generated", subsets=generate_split(clips, self._options.test_fraction, self._options.seed))]


def _entry(item: Item, media: str, size: int, facts: MediaFacts) -> VideoEntry:
    return VideoEntry(
        key=_key(item.member.name, media),
        path=item.member.name,
        media=media,
        label=item.label,
        group=item.group,
        frames=facts.frames,
        fps=facts.fps,
        width=facts.width,
        height=facts.height,
        duration_seconds=facts.duration_seconds,
        size_bytes=size,
        codec=facts.codec,
        notes=facts.notes + _name_notes(item.member.name, facts),
    )


def _key(name: str, media: str) -> str:
    """Sixteen hex digits that name this file of this content, in any dataset and at any time."""
    return hashlib.sha256(f"{media} {name}".encode()).hexdigest()[:16]


def _name_notes(name: str, facts: MediaFacts) -> tuple[Words, ...]:
    suffix = suffix_of(name)
    if facts.suffixes and suffix not in facts.suffixes:
        usual = next((usual for usual in USUAL_SUFFIXES if usual in facts.suffixes), facts.suffixes[0])
        return (Words("called {suffix}, but is {usual}", suffix=suffix or Words("nothing"), usual=usual),)
    return ()


USUAL_SUFFIXES = (".mp4", ".mkv", ".avi", ".webm", ".mov", ".ts", ".wmv")


def _relative(store: Path, out: Path) -> str:
    """The store as the manifest names it: relative where it lies inside, so that the folder can be moved."""
    return store.relative_to(out).as_posix() if store.is_relative_to(out) else str(store)
