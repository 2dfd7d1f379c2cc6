"""Many processes on one database at the same moment, SQLite or PostgreSQL."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT, postgresql

pytestmark = pytest.mark.faults


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
    python(environment, "manage.py", "migrate", "--verbosity", "0")
    return environment


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_each_job_goes_to_exactly_one_of_eight_claimers(request: pytest.FixtureRequest, database: str) -> None:
    found = python(request.getfixturevalue(f"{database}_environment"), "-m", "tests.faults.one_database", "claim")
    race = json.loads(found)
    assert len(race["jobs"]) == 20
    assert sorted(race["won"]) == race["jobs"]


def test_as_many_writers_as_an_installation_has_get_all_their_rows_into_sqlite(sqlite_environment: dict[str, str]) -> None:
    found = python(sqlite_environment, "-m", "tests.faults.one_database", "write")
    assert json.loads(found) == {"points": 5 * 60, "done": 5, "cancelled": 5 * 60}


def python(environment: dict[str, str], *arguments: str) -> str:
    """What a process prints that ends well."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
