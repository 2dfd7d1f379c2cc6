"""The command line: help, exit codes, and three ways of showing the same events."""

import argparse
import errno
import gc
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

import ml.__main__ as cli
from ml.config.compare import side_by_side
from ml.errors import BadVideo
from ml.events import Event, Failed, Finished, Log, Progress, Result, Started, Stopped, VideoFailed, parse
from ml.process import Stop
from ml.progress import AnswerOnly, JsonLines, Terminal


def command(*steps: Event | BaseException) -> cli.Command:
    """A command that yields events and raises the first exception among them."""

    def run(_args: argparse.Namespace, _stop: Stop) -> Iterator[Event]:
        for step in steps:
            if isinstance(step, BaseException):
                raise step
            yield step

    return cast(cli.Command, SimpleNamespace(HELP="", add_arguments=lambda parser: None, run=run))


def performed(*steps: Event | BaseException) -> tuple[int, list[Event]]:
    events: list[Event] = []
    code = cli.perform(command(*steps), argparse.Namespace(), Stop(), events.append)
    return code, events


def python_m_ml(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ml", *arguments], capture_output=True, text=True, timeout=60, **options)


def test_garbage_is_collected_from_the_first_event_on() -> None:
    gc.disable()
    try:
        performed(Started("train"))
        assert gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_names_every_command(arguments: tuple[str, ...]) -> None:
    done = python_m_ml(*arguments)
    assert done.returncode == 0
    for name, text in cli.COMMANDS.items():
        assert f"{name} " in done.stdout and text in done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_its_module_with_help_arguments_and_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        cli.main([name, "--help"])
    assert exited.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: python -m ml {name}") and "--json" in shown


def test_an_unknown_command_is_wrong_usage() -> None:
    done = python_m_ml("fly")
    assert done.returncode == 2 and "invalid choice: 'fly'" in done.stderr


def test_events_come_as_json_lines_when_nobody_looks() -> None:
    done = python_m_ml("catalogue")
    assert [type(parse(line)).__name__ for line in done.stdout.splitlines()] == ["Result", "Finished"]


def test_json_prints_the_answer_alone() -> None:
    answer = json.loads(python_m_ml("catalogue", "--json").stdout)
    assert answer["schemas"]["experiment"]["properties"]["model"]["title"] == "Model"
    assert answer["presets"]["paper_temporal"]["source"].startswith("Simonyan & Zisserman 2014, Table 1b")
    assert answer["defaults"]["protocol"] == {"frames": 25, "crops": 10, "aggregation": "softmax", "sampling": "spread"}


def test_json_tells_a_failure_on_stderr_and_nothing_on_stdout(tmp_path: Path) -> None:
    done = python_m_ml("metrics", str(tmp_path / "none.npz"), "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Failed: There is no score file {tmp_path / 'none.npz'}\nCheck the path")


def test_what_a_user_caused_is_a_failed_event_with_advice_and_exit_code_1() -> None:
    code, events = performed(Started("x"), BadVideo("a.mp4 is empty", "Copy it again."))
    assert (code, events[-1]) == (1, Failed("BadVideo", "a.mp4 is empty", "Copy it again."))


def test_a_bug_is_a_failed_event_with_its_traceback_and_exit_code_70() -> None:
    code, events = performed(ZeroDivisionError("division by zero"))
    (failed,) = events
    assert isinstance(failed, Failed) and code == 70
    assert (failed.code, failed.message) == ("Bug", "ZeroDivisionError: division by zero")
    assert "Traceback" in failed.detail and "test_main.py" in failed.detail


@pytest.mark.parametrize(
    ("error", "name", "message"),
    [
        (MemoryError(), "OutOfMemory", "memory of this machine is full"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "OutOfMemory", "full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "OutOfMemory", "full"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/a.pack"), "DiskFull", "could not write /data/a.pack"),
        (OSError(errno.ENOSPC, "No space left on device"), "DiskFull", "The disk is full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/x"), "BadPath", "No such file or directory: /x"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "BadPath", "Permission denied: /x"),
    ],
)
def test_what_the_machine_lacks_is_told_in_plain_words(error: Exception, name: str, message: str) -> None:
    code, (failed,) = performed(error)
    assert isinstance(failed, Failed)
    assert (code, failed.code) == (1, name)
    assert message in failed.message and failed.advice


def test_the_last_event_tells_the_exit_code() -> None:
    assert performed(Failed("X", "one request of many"), Finished())[0] == 0
    assert performed(Started("x"), Failed("X", "the end"))[0] == 1
    assert performed(Started("x"), Stopped())[0] == 0


def test_a_reader_who_leaves_is_no_error() -> None:
    assert performed(Started("x"), BrokenPipeError())[0] == 1
    process = subprocess.Popen(
        [sys.executable, "-m", "ml", "catalogue"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.wait(timeout=30)
    process.stderr.close()


def test_prints_of_libraries_do_not_spoil_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_args: argparse.Namespace, _stop: Stop) -> Iterator[Event]:
        print("a library chats")
        yield Finished()

    chatty = cast(cli.Command, SimpleNamespace(run=run))
    assert cli.perform(chatty, argparse.Namespace(), Stop(), JsonLines(sys.stdout)) == 0
    captured = capsys.readouterr()
    assert captured.err == "a library chats\n" and parse(captured.out) == Finished()


def test_odd_file_names_stay_valid_json_in_any_locale(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xe6\x89\x93.npz"
    done = subprocess.run(
        [sys.executable, "-m", "ml", "metrics", path], capture_output=True, timeout=60, env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0"}
    )
    failed = parse(done.stdout.decode())
    assert isinstance(failed, Failed) and failed.message.encode("utf-8", "surrogateescape").endswith(b"/\xff\xe6\x89\x93.npz")


def test_sigterm_becomes_a_request_to_stop() -> None:
    stop = Stop()
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        stop.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def drawn(*events: tuple[float, Event]) -> tuple[str, str]:
    out, err, clock = io.StringIO(), io.StringIO(), Clock()
    terminal = Terminal(out, err, clock)
    for clock.now, event in events:
        terminal(event)
    return out.getvalue(), err.getvalue()


def test_the_bar_tells_share_speed_and_remaining_time() -> None:
    out, _ = drawn((0, Started("x", 10, "videos")), (0, Progress(0, 10, "videos")), (30, Progress(4, 10, "videos", "a.mp4")))
    assert out.endswith(f"[{'█' * 12}{'─' * 18}] 4/10 videos  40%  0.133 videos/s, 0:45 left  a.mp4")


def test_a_resumed_work_is_not_taken_for_fast() -> None:
    out, _ = drawn((0, Progress(900, 1000, "steps")), (10, Progress(910, 1000, "steps")), (7000, Progress(911, 1000, "steps")))
    assert "1 steps/s, 1:30 left" in out and "15:" in out.rpartition("\r")[2]


def test_what_was_there_before_says_nothing_of_the_speed() -> None:
    out, _ = drawn(
        (0, Progress(10, 100, "pairs", kept=10)), (1, Progress(80, 100, "pairs", kept=80)), (10, Progress(90, 100, "pairs", kept=80))
    )
    assert "1 pairs/s, 0:10 left" in out


def test_a_finished_bar_and_an_unknown_total_promise_nothing() -> None:
    out, _ = drawn((0, Progress(0, 2)), (5, Progress(2, 2)), (6, Progress(3, 0)))
    assert "left" not in out


def test_a_person_reads_failure_and_advice_on_stderr_and_no_traceback_of_their_own_mistake() -> None:
    _, err = drawn((0, Failed("BadVideo", "a.mp4 is empty", "Copy it again.", "Traceback …")))
    assert err == "Failed: a.mp4 is empty\nCopy it again.\n"


def test_a_person_reads_two_specs_side_by_side() -> None:
    _, err = drawn((0, Failed("BadPack", "a.pack was made with another spec", "Use it.", side_by_side({"quality": 95}, {"quality": 90}))))
    assert err.splitlines()[2:] == ["         it has  asked for", "quality  95      90"]


def test_a_person_reads_what_was_left_out_and_the_log() -> None:
    out, _ = drawn((0, VideoFailed("a.mp4", "empty", "Copy it.")), (0, Log("careful")), (0, Stopped("Saved.")))
    assert out == "\r\x1b[Kleft out: a.mp4: empty. Copy it.\n\r\x1b[Kcareful\n\r\x1b[KStopped. Saved.\n"


def test_a_long_answer_is_cut_on_a_terminal_and_whole_in_json() -> None:
    answer = Result({"top1": 0.5, "confusion": [[1] * 400]})
    out, _ = drawn((0, answer), (1, Finished({"top1": 0.5})))
    assert "top1: 0.5\n" in out and "…" in out and out.endswith("\r\x1b[KDone.\n")
    whole = io.StringIO()
    AnswerOnly(whole, io.StringIO())(answer)
    assert json.loads(whole.getvalue()) == answer.data
