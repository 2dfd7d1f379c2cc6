import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml.errors import BadVideo, UserError
from ml.video.crew import Crew
from ml.video.leftovers import is_running


def act(order: str) -> str:
    """What a process of the crew may go through."""
    if order == "crash":
        os.abort()
    if order == "hang":
        while True:
            time.sleep(60)
    if order == "gorge":
        return str(len(bytes(64 * 2**30)))
    if order == "refuse":
        raise BadVideo("no good", "try another")
    return f"{order} by {os.getpid()}"


def test_a_crash_a_hang_and_a_refusal_fail_alone() -> None:
    orders = {"1": "a", "2": "crash", "3": "b", "4": "hang", "5": "refuse", "6": "gorge", "7": "c"}
    answers: dict[str, str | UserError] = {}
    with Crew(act, 2) as crew:
        for key, order in orders.items():
            while crew.is_full:
                answers.update(crew.collect(0.2))
            crew.give(key, order, 0.5 if order == "hang" else 60)
        while crew.num_busy:
            answers.update(crew.collect(0.2))

    assert {key: str(answers[key]) for key in "2456"} == {
        "2": "Reading it crashed the decoder",
        "4": "Reading it took too long",
        "5": "no good",
        "6": "Reading it crashed the decoder",
    }
    assert isinstance(answers["5"], BadVideo) and answers["5"].advice == "try another"
    assert [str(answers[key]).partition(" ")[0] for key in "137"] == ["a", "b", "c"]


def test_work_is_done_in_other_processes_side_by_side() -> None:
    with Crew(act, 2) as crew:
        crew.give("1", "a", 60)
        crew.give("2", "b", 60)
        assert crew.is_full
        answers: dict[str, str | UserError] = {}
        while crew.num_busy:
            answers.update(crew.collect(1))

    processes = {str(answer).partition(" by ")[2] for answer in answers.values()}
    assert len(processes) == 2 and str(os.getpid()) not in processes


PARENT = """
import sys
from ml.video.crew import Crew
from tests.ml.test_crew import act
if __name__ == "__main__":
    with Crew(act, 1) as crew:
        crew.give("1", "a", 60)
        print(str(dict(crew.collect(60))["1"]).partition(" by ")[2], flush=True)
        sys.stdin.read()
"""


@pytest.mark.faults
def test_the_crew_dies_with_a_killed_parent(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen(
        [sys.executable, str(tmp_path / "parent.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )  # fmt: skip
    assert parent.stdout and parent.stdin
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()

    deadline = time.monotonic() + 30
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(child)
    parent.stdout.close()
    parent.stdin.close()
