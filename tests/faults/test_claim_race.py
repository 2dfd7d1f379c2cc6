"""Eight processes claim the same jobs at the same moment, on SQLite and on PostgreSQL: each job goes to exactly one."""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, postgresql

pytestmark = pytest.mark.faults

NUM_RACERS, NUM_JOBS = 8, 20
MAKE_JOBS = f"""
from django.contrib.auth.models import User
from webapp.jobs.models import Job
user = User.objects.create_user("ada")
jobs = [Job.objects.create(kind="train", title="t", user=user, subject_id=1) for _ in range({NUM_JOBS})]
print(*(job.pk for job in jobs))
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a process that works on an empty, migrated database of its own."""
    shared = {**os.environ, "DJANGO_SETTINGS_MODULE": "webapp.settings", "KINETOSCOPE_DATA": str(tmp_path)}
    if request.param == "sqlite":
        yield {**shared, "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
        return
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, postgresql(Path(folder)) as url:
        yield {**shared, "DATABASE_URL": url}


def test_each_job_goes_to_exactly_one_of_eight_claimers(environment: dict[str, str]) -> None:
    manage(environment, "migrate", "--verbosity", "0")
    assert "[ ]" not in manage(environment, "showmigrations")
    job_ids = manage(environment, "shell", "--verbosity", "0", "--command", MAKE_JOBS).split()
    assert len(job_ids) == NUM_JOBS
    command = [sys.executable, "-m", "tests.faults.claim_race", str(time.time() + 6), *job_ids]
    racers = [subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(NUM_RACERS)]
    won = Counter(job_id for racer in racers for job_id in racer.communicate(timeout=60)[0].split())
    assert [racer.returncode for racer in racers] == [0] * NUM_RACERS
    assert won == Counter(job_ids)


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
