"""Who works beside whom."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from webapp.jobs.models import WorkerNode
from worker.nodes import cores_each, num_gpus

pytestmark = pytest.mark.django_db


def test_workers_of_one_machine_that_take_the_same_jobs_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(8)))
    long_ago = timezone.now() - timedelta(hours=1)
    for name, queue, processes, seen in (
        ("cpu@here", "cpu", 2, timezone.now()),
        ("more@here", "cpu", 1, timezone.now()),
        ("dead@here", "cpu", 5, long_ago),
        ("gpu@here", "gpu", 1, timezone.now()),
        ("cpu@there", "cpu", 16, timezone.now()),
    ):
        WorkerNode.objects.create(name=name, queues=[queue], info={"processes": processes}, last_seen=seen)
    assert [cores_each(f"{queue}@here", queue) for queue in ("cpu", "gpu")] == [8 // 3, 8]
    assert cores_each("cpu@there", "cpu") == 1
    assert cores_each("not heard yet@nowhere", "cpu") == 8


def test_a_gpu_is_a_numbered_device_of_nvidia(tmp_path: Path) -> None:
    assert num_gpus(tmp_path) == 0
    for device in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / device).touch()
    assert num_gpus(tmp_path) == 2
