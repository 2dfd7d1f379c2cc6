"""The warm process: one end an answer, models loaded once, and no request, however bad, is its last."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from ml.events import Event, Failed, Finished, Progress, Result, Started, parse
from ml.experiment import train
from ml.prediction import serve as serving
from ml.prediction.serve import WarmSources, lines_of, serve
from ml.prediction.source import Source
from ml.process import Stop
from tests.media import draw_video
from tests.ml.run_data import spatial, write_dataset


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("serving")
    for _ in train(spatial(write_dataset(folder / "data"), epochs=1), folder / "run", Stop()):
        pass
    return folder / "run"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_video(tmp_path_factory.mktemp("videos") / "a.mp4")


def request(source: Path, video: Path, **more: object) -> str:
    return json.dumps({"source": str(source), "video": str(video), "protocol": "2x1", **more})


def answers(lines: list[str]) -> list[list[Event]]:
    """The events of each answer; each but the last must have ended when the next began."""
    found: list[list[Event]] = [[]]
    for event in serve(iter(lines), Stop()):
        found[-1].append(event)
        if isinstance(event, (Finished, Failed)):
            found.append([])
    assert found.pop() == []
    return found


def test_an_answer_is_progress_then_the_result_then_the_end(run_folder: Path, video: Path, tmp_path: Path) -> None:
    (answer,) = answers([request(run_folder, video, id=7, out=str(tmp_path / "out"), top=1)])
    *progress, result, finished = answer
    assert all(isinstance(event, Progress) for event in progress)
    assert isinstance(result, Result) and result.data["id"] == 7 and len(result.data["top"]) == 1
    assert finished == Finished({"id": 7})
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"proxy.mp4", "poster.jpg"}


def test_every_bad_request_is_one_failed_event_with_advice_and_the_next_is_answered(run_folder: Path, video: Path, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    bad = [
        "{",
        "[]",
        '{"source": "x"}',
        request(run_folder, video, colour="red"),
        request(run_folder, tmp_path / "text.mp4"),
        request(run_folder, tmp_path / "missing.mp4"),
        request(tmp_path, video),
        request(run_folder, video, protocol="many"),
    ]
    *failures, (*_, last) = answers([*bad, request(run_folder, video)])
    assert isinstance(last, Finished) and len(failures) == len(bad)
    for events in failures:
        assert isinstance(events[-1], Failed) and events[-1].code != "Bug" and events[-1].advice


def test_even_a_bug_does_not_end_it(run_folder: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def buggy(*_: object) -> Iterator[Progress]:
        raise ZeroDivisionError
        yield

    with monkeypatch.context() as patch:
        patch.setattr(serving, "predict", buggy)
        ((failed,),) = answers([request(run_folder, video)])
    assert isinstance(failed, Failed) and failed.code == "Bug" and "ZeroDivisionError" in failed.detail


def test_a_source_is_loaded_once_until_its_weights_change_and_the_longest_unused_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(path: Path, _runs: object, _dataset: str) -> Source:
        loaded.append(path.name)
        return Source((path.name,), ())

    monkeypatch.setattr(serving, "load_source", load)
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text("")
    warm = WarmSources(capacity=2)
    for name in "aabaca":
        assert warm.get(tmp_path / name, ()).classes == (name,)
    assert loaded == ["a", "b", "c"]
    warm.get(tmp_path / "b", ())  # was dropped for c
    os.utime(tmp_path / "b" / "model.safetensors", (1, 1))
    warm.get(tmp_path / "b", ())
    assert loaded == ["a", "b", "c", "b", "b"]


def test_lines_are_put_together_from_pieces_and_empty_ones_left_out() -> None:
    reading, writing = os.pipe()
    lines = lines_of(reading, Stop())
    os.write(writing, b'{"a"')
    os.write(writing, ": 1}\n\n \n打".encode())
    assert next(lines) == '{"a": 1}'
    os.write(writing, b"\n")
    assert next(lines) == "打"
    os.close(writing)
    assert list(lines) == []
    os.close(reading)


def test_a_stop_ends_the_wait_for_the_next_line() -> None:
    reading, writing = os.pipe()
    stop = Stop()
    stop.requested = True
    assert list(lines_of(reading, stop)) == []
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("end", ["input", "signal"])
def test_the_process_answers_while_its_input_stays_open_and_ends_with_it_or_when_told(run_folder: Path, video: Path, end: str) -> None:
    with subprocess.Popen([sys.executable, "-m", "ml", "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert parse(process.stdout.readline()) == Started("serve")
        process.stdin.write(request(run_folder, video, id="x") + "\n")
        process.stdin.flush()
        events = _until_the_end(process.stdout)
        assert events[-1] == Finished({"id": "x"})
        if end == "signal":
            process.send_signal(signal.SIGTERM)
        else:
            process.stdin.close()
        assert process.wait(timeout=30) == 0


def _until_the_end(lines: IO[str]) -> list[Event]:
    events = [parse(lines.readline())]
    while not isinstance(events[-1], (Finished, Failed)):
        events.append(parse(lines.readline()))
    return events
