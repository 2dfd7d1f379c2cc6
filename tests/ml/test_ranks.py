"""A run on two devices is one command: one stream of events, one stop, one end."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ml import ranks as module
from ml.errors import UserError
from ml.events import Failed
from ml.process import Stop
from ml.ranks import Ranks, spread
from ml.trained import load_run
from tests.ml.run_data import spatial, write_dataset

NUM_STEPS = 8
"""Many more than are done until a stop is noticed, also where the test reads late."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spread")
    config = spatial(write_dataset(folder / "data"), devices=2, epochs=1, steps_per_epoch=NUM_STEPS)
    (folder / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    return folder / "config.json"


@contextmanager
def training(config: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ml", "train", str(config), "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        yield process
        process.kill()


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert process.stdout is not None
    return (json.loads(line) for line in process.stdout)


def steps(told: list[dict[str, object]]) -> list[object]:
    return [event["step"] for event in told if event["event"] == "StepsDone"]


def test_a_run_on_two_devices_tells_once_stops_when_asked_and_goes_on(config: Path, tmp_path: Path) -> None:
    first = []
    with training(config, tmp_path / "run") as process:
        for event in events(process):
            first.append(event)
            if steps([event]) == [1]:
                process.send_signal(signal.SIGTERM)
    with training(config, tmp_path / "run") as process:
        second = list(events(process))

    assert first[-1]["event"] == "Stopped" and second[-1]["event"] == "Finished"
    assert steps(first) + steps(second) == list(range(1, NUM_STEPS + 1))
    assert load_run(tmp_path / "run", "cpu").facts["device"] == "2 × cpu"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", f"import os, time\n{code}"]


def test_each_process_knows_its_rank_and_that_it_must_not_outlive_us() -> None:
    code = "print(*(os.environ[name] for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'KINETOSCOPE_DIE_WITH_PARENT')))"

    with Ranks(python(code), 3) as ranks:
        assert sorted(ranks.lines(Stop())) == ["0 0 3 1\n", "1 1 3 1\n", "2 2 3 1\n"]


def test_a_process_that_is_killed_ends_the_others_with_a_reason() -> None:
    code = "os.kill(os.getpid(), 9 * int(os.environ['RANK'])); time.sleep(60)"

    with pytest.raises(UserError, match="was killed"), Ranks(python(code), 2) as ranks:
        list(ranks.lines(Stop()))

    assert all(process.returncode == -signal.SIGKILL for process in ranks.processes)


def test_a_process_that_fails_does_not_leave_the_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.1)

    with Ranks(python("raise SystemExit(1) if os.environ['RANK'] == '1' else time.sleep(60)"), 2) as ranks:
        assert list(ranks.lines(Stop())) == []

    assert [process.returncode for process in ranks.processes] == [-signal.SIGKILL, 1]


def test_a_failure_that_somebody_can_solve_is_told_before_what_followed_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [Failed("Bug", "Connection closed by peer"), Failed("BadPack", "the pack is damaged")]
    monkeypatch.setattr(Ranks, "lines", lambda ranks, stop: ["a library's chatter\n", *(event.json_line() for event in said)])

    assert list(spread(["catalogue"], 1, Stop())) == [said[1]]
