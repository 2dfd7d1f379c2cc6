"""Warm predictions: networks stay in memory between requests, and no video, however bad, ends the process."""

import os
import select
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from ml.config.schema import Schema, first_problem, knob
from ml.errors import UserError
from ml.evaluation.protocol import parse_protocol
from ml.evaluation.results import files_of
from ml.events import Event, Finished, Result
from ml.failure import failure
from ml.prediction.predictor import TOP, predict, write_playable
from ml.prediction.source import Source, load_source
from ml.process import Stop
from ml.words import Words

POLL_SECONDS = 0.2
CAPACITY = 4


class Request(Schema):
    """One line on stdin."""

    id: int | str | None = knob(None, "Id", "Comes back in the answer.")
    source: Path = knob(..., "Source", "Folder of a run, or a fusion's score file or its folder.")
    runs: tuple[Path, ...] = knob((), "Runs", "Folders of the fusion's members, where they have moved.")
    dataset: str = knob("", "Dataset", "Name or folder of the one whose classes are asked for, where a run learnt several.")
    video: Path = knob(..., "Video", "The file to look at.")
    name: str = knob("", "Name", "What people call the file, where it lies under another name.")
    out: Path | None = knob(None, "Output", "Folder for proxy.mp4 and poster.jpg.")
    protocol: str | None = knob(None, "Protocol", "FRAMESxCROPS; without it, what each stream was tested with.")
    top: int = knob(TOP, "Classes", "How many classes to name.", ge=1)


class BadRequest(UserError):
    """A line that is no request."""


class WarmSources:
    """The last few sources that were asked, in memory; one whose files have changed is read anew."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.capacity = capacity
        self._sources: OrderedDict[tuple[object, ...], Source] = OrderedDict()

    def get(self, path: Path, runs: Sequence[Path], dataset: str = "") -> Source:
        """What `load_source` gives."""
        key = (path, *runs, dataset, *map(_age, (path / "model.safetensors", files_of(path)[0])))
        if key not in self._sources:
            self._sources[key] = load_source(path, runs, dataset)
        self._sources.move_to_end(key)
        while len(self._sources) > self.capacity:
            self._sources.popitem(last=False)
        return self._sources[key]


def serve(lines: Iterator[str], stop: Stop) -> Iterator[Event]:
    """Answers requests in their order: each answer is `Progress`…, `Result` and `Finished`, or ends with one `Failed`."""
    warm = WarmSources()
    for line in lines:
        try:
            yield from answer(read_request(line), warm)
        except Exception as error:  # noqa: BLE001 - the edge of a request: the next one is answered whatever this one did
            yield failure(error)[0]
        if stop.requested:
            return


def read_request(line: str) -> Request:
    """Raises:
    BadRequest: the line is none.
    """
    try:
        return Request.model_validate_json(line)
    except ValidationError as error:
        raise BadRequest("{where}: {problem}", "Send one JSON object a line.", **first_problem(error, Words("the line"))) from error


def answer(request: Request, warm: WarmSources) -> Iterator[Event]:
    """Look at one video, and make what a page shows of it."""
    source = warm.get(request.source, request.runs, request.dataset)
    protocol = parse_protocol(request.protocol) if request.protocol else None
    found = yield from predict(source, request.video, protocol, request.top, request.name)
    if request.out is not None:
        write_playable(request.video, request.out, request.name)
    yield Result({"id": request.id, **found})
    yield Finished({"id": request.id})


def lines_of(file: int, stop: Stop) -> Iterator[str]:
    """Lines from a file descriptor as they come, until its end or until asked to stop."""
    rest = b""
    while not stop.requested:
        if not select.select([file], [], [], POLL_SECONDS)[0]:
            continue
        chunk = os.read(file, 1 << 16)
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "replace") for line in whole if line.strip())


def _age(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
