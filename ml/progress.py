"""How events are shown: JSON lines to a program, a bar with its remaining time to a person, the bare answer to `--json`."""

import json
import time
from collections.abc import Callable
from typing import Any, TextIO

from ml.errors import in_sentences
from ml.events import EpochEnded, Event, Failed, Finished, Log, Progress, Result, Started, StepsDone, Stopped, VideoFailed

BAR = 30


class JsonLines:
    """Every event as one line, at once."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def __call__(self, event: Event) -> None:
        print(event.json_line(), file=self.out, flush=True)


class AnswerOnly:
    """The data of the `Result` as one JSON document on `out`; what went wrong on `err`."""

    def __init__(self, out: TextIO, err: TextIO) -> None:
        self.out, self.err = out, err

    def __call__(self, event: Event) -> None:
        if isinstance(event, Result):
            print(json.dumps(event.data, ensure_ascii=False), file=self.out, flush=True)
        elif isinstance(event, Failed):
            print(card(event), file=self.err, flush=True)


class Terminal:
    """A bar that is redrawn in its line, and lines above it for what deserves one."""

    def __init__(self, out: TextIO, err: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self.out, self.err, self.clock = out, err, clock
        self.first: tuple[float, int] | None = None
        self.has_answered = False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Started):
            self.first = None
        elif isinstance(event, Progress):
            self._draw(event)
        elif isinstance(event, Failed):
            self._print(card(event), self.err)
        elif isinstance(event, Finished) and self.has_answered:
            self._print("Done.", self.out)
        elif text := line(event):
            self.has_answered |= isinstance(event, Result)
            self._print(text, self.out)

    def _draw(self, event: Progress) -> None:
        now = self.clock()
        if self.first is None or event.done < self.first[1]:
            self.first = now, event.done
        left = remaining(event, now - self.first[0], max(self.first[1], event.kept))
        print(f"\r\x1b[K{bar(event)}  {left}  {event.message}".rstrip(), end="", file=self.out, flush=True)

    def _print(self, text: str, where: TextIO) -> None:
        print("\r\x1b[K", end="", file=self.out, flush=True)
        print(text, file=where, flush=True)


def bar(event: Progress) -> str:
    """`[████────] 3/6 videos  50 %`"""
    share = min(max(event.done / event.total, 0.0), 1.0) if event.total else 0.0
    full = int(share * BAR)
    return f"[{'█' * full}{'─' * (BAR - full)}] {event.done}/{event.total} {event.unit}  {share:.0%}"


def remaining(event: Progress, seconds: float, first_done: int) -> str:
    """The speed so far, and the time left if the rest goes as fast; nothing while that is unknown."""
    finished = event.done - first_done
    if finished <= 0 or seconds <= 0 or event.done >= event.total:
        return ""
    left = round(seconds / finished * (event.total - event.done))
    hours, minutes = left // 3600, left % 3600 // 60
    clock = f"{hours}:{minutes:02}:{left % 60:02}" if hours else f"{minutes}:{left % 60:02}"
    return f"{finished / seconds:.3g} {event.unit}/s, {clock} left"


def card(event: Failed) -> str:
    """What happened and what to do next, with the details; a traceback of a bug only."""
    is_wanted = event.code == "Bug" or not event.detail.startswith("Traceback")
    parts = [f"Failed: {event.message}", event.advice, event.detail.rstrip() if is_wanted else ""]
    return "\n".join(part for part in parts if part)


def line(event: Event) -> str:
    """What a person wants to read of an event; empty when that is nothing."""
    match event:
        case StepsDone():
            losses = "  ".join(f"{name} {value:.4f}" for name, value in event.losses.items())
            return f"epoch {event.epoch}  step {event.step}  {losses}  lr {event.learning_rate:g}  {event.videos_per_second:.1f} videos/s"
        case EpochEnded():
            return f"epoch {event.epoch} ended  train: {_numbers(event.train)}  validation: {_numbers(event.validation) or '–'}"
        case VideoFailed():
            return f"left out: {event.video}: {in_sentences(event.reason, event.advice)}"
        case Log():
            return event.message
        case Stopped():
            return f"Stopped. {event.message}".rstrip()
        case Result():
            return outline(event.data)
        case Finished():
            return f"Done.\n{outline(event.summary)}".rstrip()
        case _:
            return ""


def outline(data: dict[str, Any], width: int = 120) -> str:
    """One line a key; long values are cut (`--json` shows all)."""
    return "\n".join(
        _cut(f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}", width) for key, value in data.items()
    )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _numbers(values: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())
