"""The launcher on real processes: what dies comes back, what it started ends with it."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import psutil
import pytest

from tests.launched import MARKS, Launched
from tests.processes import ROOT, until
from webapp.launcher.launcher import is_ready

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    launched = Launched(tmp_path_factory.mktemp("launch"))
    yield launched
    launched.close()


@pytest.fixture
def launched(standing: Launched) -> Iterator[Launched]:
    """Running, whatever the test before has done to it."""
    if not standing.is_up:
        standing.start()
    until(lambda: is_ready(standing.url), "a site that is ready")
    yield standing
    print(standing.log.read_text()[-3000:])


def test_the_first_start_creates_the_admin_and_says_where_the_site_is(launched: Launched) -> None:
    until(lambda: f"Kinetoscope is at {launched.url}" in launched.log.read_text(), "the address")
    told = launched.log.read_text()
    assert told.count("Created the user admin with the password") == 1
    assert told.index("Created the user") < told.index("Kinetoscope is at")


@pytest.mark.parametrize("name", MARKS)
def test_a_killed_service_comes_back_and_the_site_is_ready_again(launched: Launched, name: str) -> None:
    victim = launched.service(name)
    assert victim is not None
    below = victim.children(recursive=True)
    victim.kill()
    killed = datetime.now(UTC)
    _gone, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
    until(lambda: (successor := launched.service(name)) is not None and successor.pid != victim.pid, f"a new {name}")
    if name in ("worker", "predict"):
        node = MARKS[name].partition("@")[0]
        until(lambda: launched.heard(node) > killed, f"a word of the new {name}")
    until(lambda: is_ready(launched.url), "a site that is ready again")
    assert f"[{name}] ended with code -9; it starts again in" in launched.log.read_text()


def test_a_second_launcher_on_the_same_data_says_where_the_first_one_is(launched: Launched) -> None:
    second = subprocess.run(
        [sys.executable, "manage.py", "launch"], cwd=ROOT, env=launched.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert "already running" in second.stderr
    assert launched.url in second.stderr
    assert is_ready(launched.url)


def test_a_stop_ends_everything_that_was_started(launched: Launched) -> None:
    below = launched.children()
    launched.send(signal.SIGTERM)
    assert launched.wait() == 0
    assert not [process for process in below if process.is_running()]
    assert not (launched.data / "run" / "launch.json").exists()


def test_a_demo_that_fails_is_told_with_the_page_of_its_job_and_the_site_stays(launched: Launched) -> None:
    (launched.data / "import" / "shapes_in_motion").mkdir(exist_ok=True)  # nothing in it, so nothing to draw or import
    launched.kill()
    launched.command.append("--demo")
    launched.start()
    launched.command.remove("--demo")
    until(lambda: "The demo ended with code 1" in launched.log.read_text(), "the end of the demo")
    assert re.search(rf"failed\. .* See {launched.url}/jobs/\d+/", launched.log.read_text())
    assert is_ready(launched.url)


def test_nothing_outlives_a_killed_launcher(launched: Launched) -> None:
    until(lambda: all(launched.service(name) for name in MARKS), "every service")
    below = launched.children()
    assert len(below) > len(MARKS)
    launched.kill()
    _gone, alive = psutil.wait_procs(below, timeout=20)
    assert alive == []
