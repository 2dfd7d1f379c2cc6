"""Reading annotation files, and finding the files they name."""

import codecs
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from ml.errors import BadLayout
from ml.video.members import Member
from ml.words import Words

MAX_BYTES = 64 * 2**20
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(member: Member) -> str:
    """A list as text, whatever tool saved it: UTF-8 or UTF-16 with a mark, UTF-8, or GB 18030.

    Raises:
        BadLayout: too large, or no text.
    """
    if member.size > MAX_BYTES:
        raise BadLayout("{file} is too large for a list ({size} bytes)", "Is it the right file?", file=member.name, size=f"{member.size:,}")
    with member.open() as stream:
        data = stream.read()
    marked = [encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)]
    for encoding in marked or ["utf-8", "gb18030"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return unicodedata.normalize("NFC", text.lstrip("\ufeff"))
    raise BadLayout("{file} is no text", "Save it as UTF-8.", file=member.name)


class Finder:
    """Finds a listed file although the list and the archive begin in different folders."""

    def __init__(self, members: Iterable[Member]) -> None:
        self._by_file_name: defaultdict[str, list[Member]] = defaultdict(list)
        for member in members:
            self._by_file_name[_file_name(member.name)].append(member)

    def find(self, listed: str) -> list[Member]:
        """The members meant by `listed`: that very name, else those that end like it, or that it ends like."""
        wanted = listed.replace("\\", "/").removeprefix("./")
        candidates = self._by_file_name.get(_file_name(wanted), [])
        exact = [member for member in candidates if member.name == wanted]
        longer = [member for member in candidates if member.name.endswith("/" + wanted)]
        return exact or longer or [member for member in candidates if wanted.endswith("/" + member.name)]


def _file_name(path: str) -> str:
    return PurePosixPath(path).name


def some(names: Iterable[str], limit: int = 3, none: str = "") -> str:
    """The first few of many, for a message; `none` where there are none."""
    listed = list(names)
    first, rest = ", ".join(listed[:limit]), len(listed) - limit
    return Words("{names} and {count} more", names=first, count=f"{rest:,}") if rest > 0 else first or none
