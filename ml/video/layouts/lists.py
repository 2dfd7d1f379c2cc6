"""Reading annotation files, and finding the files they name."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

from ml.errors import BadLayout
from ml.video.encodings import decoded, wide_encoding
from ml.video.members import Member
from ml.video.names import is_video_name, suffix_of
from ml.words import Words

MAX_BYTES = 64 * 2**20


def read_text(member: Member) -> str:
    """A list as text, whatever tool saved it: UTF-8, UTF-16, GB 18030 or Windows-1252.

    Raises:
        BadLayout: too large, or no text.
    """
    if member.size > MAX_BYTES:
        raise BadLayout("{file} is too large for a list ({size} bytes)", "Is it the right file?", file=member.name, size=f"{member.size:,}")
    with member.open() as stream:
        data = stream.read()
    try:
        text = text_of(data)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise BadLayout("{file} is no text", "Save it as UTF-8.", file=member.name)
    return text


def text_of(data: bytes) -> str:
    """Raises UnicodeDecodeError where it is none."""
    encoding = wide_encoding(data)
    text = data.decode(encoding) if encoding else decoded(data, "cp1252")
    return unicodedata.normalize("NFC", text.lstrip("\ufeff"))


class Finder:
    """Finds a listed file although the list and the archive begin in different folders, or write its ending and capitals differently.

    With `unique_names`, as in a published dataset, the file name alone is enough.
    """

    def __init__(self, members: Iterable[Member], unique_names: bool = False) -> None:
        self._unique_names = unique_names
        self._indices: list[tuple[Callable[[str], str], defaultdict[str, list[Member]]]] = [
            (spelling, defaultdict(list)) for spelling in (str, _without_ending)
        ]
        for member in members:
            for spelling, index in self._indices:
                index[_file_name(spelling(member.name))].append(member)

    def find(self, listed: str) -> list[Member]:
        """The members meant by `listed`: that very name, else those that end like it, or that it ends like."""
        wanted = listed.replace("\\", "/").removeprefix("./")
        for spelling, index in self._indices:
            candidates = index.get(_file_name(spelling(wanted)), [])
            if found := _fitting(spelling(wanted), candidates, spelling) or (candidates if self._unique_names else []):
                return found
        return []


def _fitting(wanted: str, candidates: Iterable[Member], spelling: Callable[[str], str]) -> list[Member]:
    names = [(member, spelling(member.name)) for member in candidates]
    exact = [member for member, name in names if name == wanted]
    longer = [member for member, name in names if name.endswith("/" + wanted)]
    return exact or longer or [member for member, name in names if wanted.endswith("/" + name)]


def _without_ending(path: str) -> str:
    return (path[: -len(suffix_of(path))] if is_video_name(path) else path).casefold()


def _file_name(path: str) -> str:
    return PurePosixPath(path).name


def some(names: Iterable[str], limit: int = 3, none: str = "") -> str:
    """The first few of many, for a message; `none` where there are none."""
    listed = list(names)
    first, rest = ", ".join(listed[:limit]), len(listed) - limit
    return Words("{names} and {count} more", names=first, count=f"{rest:,}") if rest > 0 else first or none
