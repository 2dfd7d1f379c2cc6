"""`events.jsonl`: what a run told, once, however often it was interrupted."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from ml.events import CheckpointSaved, EpochEnded, Event, StepsDone, parse
from ml.process import atomic_path


def recorded(path: Path, events: Iterable[Event]) -> Iterator[Event]:
    """The same events, each written to `path` before it is passed on."""
    with path.open("a", encoding="utf-8") as file:
        for event in events:
            print(event.json_line(), file=file, flush=True)
            yield event


def forget_after(path: Path, step: int, epochs: int) -> None:
    """Drop what a run that goes on from `step`, with `epochs` behind it, will tell again; and a last line that was cut off."""
    if not path.exists():
        return
    kept = [event for event in _events(path) if not _comes_again(event, step, epochs)]
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{event.json_line()}\n" for event in kept), encoding="utf-8")


def _comes_again(event: Event, step: int, epochs: int) -> bool:
    if isinstance(event, EpochEnded):
        return event.epoch > epochs
    return isinstance(event, StepsDone | CheckpointSaved) and event.step > step


def _events(path: Path) -> Iterator[Event]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield parse(line)
        except ValueError:  # written when the power went
            continue
