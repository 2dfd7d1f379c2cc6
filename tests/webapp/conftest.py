"""What every test of the site starts from."""

import shutil

import pytest
from django.conf import settings


@pytest.fixture(autouse=True)
def no_old_files() -> None:
    """Every test finds empty folders: ids of rows begin again, and paths come from ids."""
    for folder in ("evaluations", "imports", "jobs", "predictions", "runs"):
        shutil.rmtree(settings.DATA_DIR / folder, ignore_errors=True)
