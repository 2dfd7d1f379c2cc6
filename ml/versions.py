"""Which versions of the packages that numbers depend on are installed here."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version


def installed_versions(packages: Iterable[str]) -> dict[str, str]:
    """Of the packages that are installed under these names."""
    return {name: found for name in packages if (found := _version(name))}


@cache
def _version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return ""
