"""How `pytest -n` spreads the tests over processes: file by file, but real processes never beside each other."""

import pytest
from xdist.scheduler import LoadFileScheduling

APART = ("tests/browser/", "tests/faults/")
"""Tests that start, watch and kill real processes; their clocks go on while others have the cores."""


class FileByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """The tests of a file stay together, for they share what they set up; those that stand apart are like one file.

    Not `--dist loadgroup`: xdist 3.8 notes a test's group in a field that pytest 9.2 does not read, so that groups have no effect.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "apart" if nodeid.startswith(APART) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FileByFile:
    config.option.loadscopereorder = False
    return FileByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that stand apart begin first, because they take longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.nodeid.startswith(APART), reverse=True)
