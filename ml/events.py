"""The one language between ml and everybody else: events, one JSON object a line.

The command line draws them, the worker records them in rows, tests read them as a list.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ml.words import packed, put_words, words_in


@dataclass(frozen=True)
class Event:
    """Something that happened. `json_line` and `parse` are inverse: texts are plain, what they were made of stands under `words`."""

    def json_line(self) -> str:
        said = asdict(self)
        words = [{"at": place, **packed(text)} for place, text in words_in(said)]
        return json.dumps({"event": type(self).__name__, **said, **({"words": words} if words else {})}, ensure_ascii=False)


@dataclass(frozen=True)
class Started(Event):
    """Work begins: `total` units of it."""

    command: str
    total: int = 0
    unit: str = ""


@dataclass(frozen=True)
class Progress(Event):
    """`done` of `total` units are finished; `kept` of them were before this attempt, and say nothing of its pace."""

    done: int
    total: int
    unit: str = ""
    message: str = ""
    kept: int = 0


@dataclass(frozen=True)
class StepsDone(Event):
    """Training steps since the last such event; `losses` holds their mean loss terms, `measures` what else was measured."""

    step: int
    epoch: int
    losses: dict[str, float]
    learning_rate: float
    videos_per_second: float
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class EpochEnded(Event):
    """An epoch is over: metrics of the training and, where there is one, the validation subset."""

    epoch: int
    step: int
    train: dict[str, float]
    validation: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointSaved(Event):
    """The run can be resumed from here."""

    step: int
    epoch: int


@dataclass(frozen=True)
class DeviceUse(Event):
    """What the machine gives to this process; memory in bytes."""

    device: str
    cpu_percent: float
    memory_bytes: int
    gpu_percent: float | None = None
    gpu_memory_bytes: int | None = None


@dataclass(frozen=True)
class VideoDone(Event):
    """One video went through."""

    video: str
    bytes: int = 0


@dataclass(frozen=True)
class VideoFailed(Event):
    """One video did not; the others go on."""

    video: str
    reason: str
    advice: str = ""


@dataclass(frozen=True)
class Log(Event):
    """A line for the log."""

    message: str
    level: str = "info"


@dataclass(frozen=True)
class Result(Event):
    """The answer of a command that was asked a question: a preview, metrics, a prediction."""

    data: dict[str, Any]


@dataclass(frozen=True)
class Stopped(Event):
    """Stopped on request; what was done is saved and can be resumed."""

    message: str = ""


@dataclass(frozen=True)
class Failed(Event):
    """The end, in plain words: what happened to what (`message`), and what to do next (`advice`)."""

    code: str
    message: str
    advice: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Finished(Event):
    """All done; `summary` says what came of it."""

    summary: dict[str, Any] = field(default_factory=dict)


EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        Started, Progress, StepsDone, EpochEnded, CheckpointSaved, DeviceUse,
        VideoDone, VideoFailed, Log, Result, Stopped, Failed, Finished,
    )
}  # fmt: skip


def parse(line: str) -> Event:
    """A line back into its event.

    Raises:
        ValueError: the line is no event.
    """
    try:
        fields = json.loads(line)
        put_words(fields, fields.pop("words", []))
        return EVENTS[fields.pop("event")](**fields)
    except (json.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {line[:200]!r}") from error
