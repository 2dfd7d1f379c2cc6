"""Many processes on one database at the same moment, SQLite or PostgreSQL."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, postgresql

pytestmark = pytest.mark.faults

NUM_RACERS, NUM_JOBS = 8, 20
NUM_WRITERS, NUM_ROUNDS = 5, 60
MAKE_JOBS = f"""
from django.contrib.auth.models import User
from webapp.jobs.models import Job
user = User.objects.create_user("ada")
jobs = [Job.objects.create(kind="train", title="t", user=user, subject_id=1) for _ in range({NUM_JOBS})]
print(*(job.pk for job in jobs))
"""

MAKE_RUNS = f"""
from django.contrib.auth.models import User
from tests.webapp.factories import make_dataset, make_run
dataset = make_dataset(User.objects.create_user("bob"))
print(*(make_run(dataset, state="queued").job_id for _ in range({NUM_WRITERS})))
"""
LOOK = """
from webapp.experiments.models import RunPoint
from webapp.jobs.models import Job
print(RunPoint.objects.count(), Job.objects.filter(kind="train", state="done").count(), Job.objects.filter(state="cancelled").count())
"""


@pytest.fixture(scope="module")
def sqlite_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a process that works on a migrated database."""
    return migrated(tmp_path_factory.mktemp("data"), f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'db.sqlite3'}")


@pytest.fixture(scope="module")
def postgresql_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, postgresql(Path(folder)) as url:
        yield migrated(tmp_path_factory.mktemp("data"), url)


def migrated(data: Path, url: str) -> dict[str, str]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "webapp.settings", "KINETOSCOPE_DATA": str(data), "DATABASE_URL": url}
    manage(environment, "migrate", "--verbosity", "0")
    return environment


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_each_job_goes_to_exactly_one_of_eight_claimers(request: pytest.FixtureRequest, database: str) -> None:
    environment: dict[str, str] = request.getfixturevalue(f"{database}_environment")
    job_ids = manage(environment, "shell", "--verbosity", "0", "--command", MAKE_JOBS).split()
    assert len(job_ids) == NUM_JOBS
    won = start_together([["tests.faults.claim_race", *job_ids]] * NUM_RACERS, environment)
    assert Counter(" ".join(won).split()) == Counter(job_ids)


def test_as_many_writers_as_an_installation_has_get_all_their_rows_into_sqlite(sqlite_environment: dict[str, str]) -> None:
    environment = sqlite_environment
    job_ids = manage(environment, "shell", "--verbosity", "0", "--command", MAKE_RUNS).split()
    start_together([["tests.faults.writer", job_id, str(NUM_ROUNDS)] for job_id in job_ids], environment)
    points, done, cancelled = manage(environment, "shell", "--verbosity", "0", "--command", LOOK).split()
    assert (int(points), int(done), int(cancelled)) == (NUM_WRITERS * NUM_ROUNDS, NUM_WRITERS, NUM_WRITERS * NUM_ROUNDS)


def start_together(modules: list[list[str]], environment: dict[str, str]) -> list[str]:
    """Run modules that print “ready” and wait for the end of stdin, let them go at once, and return what each printed after that."""
    gate, opened = os.pipe()
    commands = [[sys.executable, "-m", *words] for words in modules]
    racers = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdin=gate, stdout=subprocess.PIPE, text=True, close_fds=True)
        for command in commands
    ]
    os.close(gate)
    ready = [racer.stdout.readline() for racer in racers if racer.stdout is not None]
    os.close(opened)
    printed = [racer.communicate(timeout=60)[0] for racer in racers]
    assert ready == ["ready\n"] * len(racers)
    assert [racer.returncode for racer in racers] == [0] * len(racers)
    return printed


def manage(environment: dict[str, str], *arguments: str) -> str:
    """What a management command prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
