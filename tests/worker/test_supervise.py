"""How an attempt ends, with scripts in the place of the engine."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from ml.events import CheckpointSaved, Event
from tests.webapp.factories import make_job, make_user
from webapp.jobs import services
from webapp.jobs.models import Job
from webapp.jobs.selectors import log_tail
from worker import child
from worker.supervise import Ending, supervise

State = Job.State
pytestmark = pytest.mark.django_db
SAY = 'import json, os, signal, sys, time\ndef say(kind, **fields): print(json.dumps({"event": kind, **fields}), flush=True)\n'


class Engine:
    """Runs a script as the attempt of a claimed job."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.monkeypatch, self.script = monkeypatch, folder / "engine.py"
        self.job = make_job("train", make_user(), state=State.QUEUED)
        self.lease = services.claim(self.job.pk, "here") or ""
        self.job.refresh_from_db()
        self.events: list[Event] = []
        self.hear: Callable[[Event], None] = self.events.append

    def run(self, script: str, limit_seconds: float = 30.0) -> Ending:
        self.script.write_text(SAY + script)
        self.monkeypatch.setattr(child, "ENGINE", (sys.executable, str(self.script)))
        return supervise(self.job, self.lease, [], self.hear, limit_seconds)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    return Engine(monkeypatch, tmp_path)


def test_finished_is_done_with_its_summary_answer_and_progress(engine: Engine) -> None:
    ending = engine.run(
        'say("Started", command="train", total=4, unit="steps"); say("Progress", done=3, total=4)\n'
        'say("CheckpointSaved", step=3, epoch=0); say("Result", data={"a": 1}); say("Finished", summary={"b": 2})'
    )
    engine.job.refresh_from_db()
    assert ending == Ending(State.DONE, summary={"b": 2}, answer={"a": 1})
    assert (engine.job.progress_done, engine.job.progress_total) == (3, 4)
    assert CheckpointSaved(3, 0) in engine.events
    assert "checkpoint saved at step 3" in log_tail(engine.job)


@pytest.mark.parametrize(
    ("script", "state", "code"),
    [
        ('say("Failed", code="BadVideo", message="m", advice="a"); sys.exit(1)', State.FAILED, "BadVideo"),
        ('say("Failed", code="FolderBusy", message="m"); sys.exit(1)', State.INTERRUPTED, "FolderBusy"),
        ("os.kill(os.getpid(), signal.SIGKILL)", State.FAILED, "Killed"),
        ("os.kill(os.getpid(), signal.SIGABRT)", State.FAILED, "Crashed"),
        ('print("last words", file=sys.stderr); sys.exit(3)', State.FAILED, "Crashed"),
        ("pass", State.FAILED, "Crashed"),
    ],
)
def test_every_bad_end_has_its_card(engine: Engine, script: str, state: State, code: str) -> None:
    ending = engine.run(script)
    assert ending.failure is not None
    assert (ending.state, ending.failure.code) == (state, code)


def test_a_crash_keeps_the_last_words(engine: Engine) -> None:
    ending = engine.run('print("last words", file=sys.stderr); sys.exit(3)')
    assert ending.failure is not None
    assert "last words" in ending.failure.detail
    assert "exit code 3" in ending.failure.detail


def test_a_stop_nobody_asked_for_hands_the_job_back(engine: Engine) -> None:
    assert engine.run('say("Stopped")') == Ending(State.INTERRUPTED, handed_back=True)


def test_a_request_to_stop_reaches_the_process(engine: Engine) -> None:
    Job.objects.update(stop_requested=True)
    script = 'signal.signal(signal.SIGTERM, lambda *_: (say("Stopped"), sys.exit(0)))\nsay("Started", command="x")\ntime.sleep(20)'
    assert engine.run(script).state == State.STOPPED


def test_a_cancelled_process_is_killed_even_if_it_does_not_listen(engine: Engine) -> None:
    Job.objects.update(cancel_requested=True)
    assert engine.run("signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)").state == State.CANCELLED


def test_a_process_that_takes_too_long_is_killed_and_explained(engine: Engine) -> None:
    ending = engine.run("time.sleep(60)", limit_seconds=0.5)
    assert ending.failure is not None
    assert (ending.state, ending.failure.code) == (State.FAILED, "Timeout")


def test_a_lost_lease_kills_the_process_and_writes_nothing(engine: Engine) -> None:
    Job.objects.update(lease="another", started_at=timezone.now())
    pid = engine.script.parent / "pid"
    with pytest.raises(services.LeaseLost):
        engine.run(f'open({str(pid)!r}, "w").write(str(os.getpid()))\ntime.sleep(60)')
    engine.job.refresh_from_db()
    assert engine.job.state == State.RUNNING
    assert not pid.exists() or not Path(f"/proc/{pid.read_text() or 0}").exists()
