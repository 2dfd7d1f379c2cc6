"""What a worker settles before it takes its first job."""

import os
from types import SimpleNamespace

import pytest

from worker.app import share_cores


@pytest.mark.parametrize(("jobs_at_once", "threads"), [(1, "4"), (2, "2"), (8, "1")])
def test_jobs_that_run_at_once_share_the_cores(monkeypatch: pytest.MonkeyPatch, jobs_at_once: int, threads: str) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    share_cores(SimpleNamespace(concurrency=jobs_at_once))
    assert os.environ.pop("OMP_NUM_THREADS") == threads


def test_a_number_of_threads_that_was_chosen_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    share_cores(SimpleNamespace(concurrency=2))
    assert os.environ["OMP_NUM_THREADS"] == "7"
