"""What the worker does in these tests is done to rows and folders that no other test sees."""

from collections.abc import Iterator

import pytest

from tests.processes import empty_folders


@pytest.fixture(autouse=True)
def no_old_files() -> Iterator[None]:
    with empty_folders():
        yield
