"""What every test may use."""

import gc
import os
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("any machine")  # that others use it too is no fault of an example


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        from tests import side_by_side

        config.pluginmanager.register(side_by_side)


def pytest_collection_finish() -> None:
    """What was imported to collect the tests stays: no search for garbage goes through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real clips and official lists; a test that needs it is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("KINETOSCOPE_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder}; KINETOSCOPE_REAL_DATA names another folder")
    return folder
