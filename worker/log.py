"""The log of a job: lines for people, bounded on disk."""

from __future__ import annotations

from pathlib import Path

from django.utils import timezone

from ml import events

LIMIT_BYTES = 4 * 2**20
"""A full file is put aside as `<name>.1`, over the one before it: at most twice this per file."""


class CappedFile:
    """A text file that lines are appended to."""

    def __init__(self, path: Path, limit: int = LIMIT_BYTES) -> None:
        self.path, self.limit = path, limit
        path.parent.mkdir(parents=True, exist_ok=True)

    def write(self, line: str) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            full = file.tell() > self.limit
        if full:
            self.path.replace(self.path.with_name(self.path.name + ".1"))

    def tail(self, characters: int = 4000) -> str:
        """The end of what was written; empty when nothing was."""
        return self.path.read_text(encoding="utf-8")[-characters:] if self.path.exists() else ""


class JobLog:
    """`events.jsonl` (all events), `log.txt` (those worth reading), `stderr.txt` (whatever else the process printed)."""

    def __init__(self, folder: Path) -> None:
        self.lines = CappedFile(folder / "events.jsonl")
        self.text = CappedFile(folder / "log.txt")
        self.stderr = CappedFile(folder / "stderr.txt")

    def event(self, event: events.Event) -> None:
        self.lines.write(event.json_line())
        if line := sentence(event):
            self.say(line)

    def say(self, line: str) -> None:
        self.text.write(f"{timezone.now():%Y-%m-%d %H:%M:%S} {line}")


def sentence(event: events.Event) -> str:
    """An event as a line of the log; empty for those that only move a bar or a curve."""
    match event:
        case events.Started(command=command):
            return f"{command} begins"
        case events.EpochEnded(epoch=epoch, train=train, validation=validation):
            return f"epoch {epoch} ended: train {_numbers(train)}" + (f"; validation {_numbers(validation)}" if validation else "")
        case events.CheckpointSaved(step=step, epoch=epoch):
            return f"checkpoint saved at step {step}, epoch {epoch}"
        case events.VideoFailed(video=video, reason=reason, advice=advice):
            return f"{video}: {reason} {advice}".rstrip()
        case events.Log(message=message, level=level):
            return message if level == "info" else f"{level}: {message}"
        case events.Stopped(message=message):
            return f"stopped. {message}".rstrip()
        case events.Failed(message=message, advice=advice):
            return f"failed: {message} {advice}".rstrip()
        case events.Finished():
            return "finished"
        case events.Progress() | events.StepsDone() | events.DeviceUse() | events.VideoDone() | events.Result():
            return ""
        case _:
            return event.json_line()


def _numbers(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
