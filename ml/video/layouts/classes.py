"""Files that give classes numbers: `classInd.txt`, `label_map_k400.txt`, `classes.csv`; and labels that are such numbers."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ml.video.layouts.lists import read_text
from ml.video.layouts.sheet import SEPARATORS
from ml.video.members import Member, Members

CALLED_SO = re.compile(r"(?:class|label|categor)[^/]*\.(?:txt|csv|tsv)|[^/]*_(?:labels?|classes)\.(?:txt|csv)", re.IGNORECASE)
NUMBERED = (re.compile(r"(?P<number>[0-9]+)[\s,;:|]+(?P<name>.+)"), re.compile(r"(?P<name>.+?)[\s,;:|]+(?P<number>[0-9]+)"))


@dataclass(frozen=True)
class ClassList:
    """Class names by their number, or by their place in the file from 0."""

    member: Member
    names: Mapping[int, str]
    is_numbered: bool

    def named(self, labels: Iterable[str]) -> dict[str, str]:
        """What labels that are all numbers mean. Places are counted from 0, or from 1 where the labels leave no other way."""
        numbers = {int(label) for label in labels}
        from_one = not self.is_numbered and 0 not in numbers and len(self.names) in numbers
        return {label: name for label in labels if (name := self.names.get(int(label) - from_one))}


def are_numbers(labels: Iterable[str]) -> bool:
    """Whether these labels are numbers of classes, and not their names."""
    return all(label.isdecimal() and label.isascii() for label in labels)


def class_list(members: Members, besides: frozenset[str]) -> ClassList | None:
    """The first file that is one."""
    found = (as_class_list(member) for name, member in members.files.items() if name not in besides)
    return next(filter(None, found), None)


def as_class_list(member: Member) -> ClassList | None:
    """What the file says, if it is called like a list of classes and looks like one."""
    return _read(member) if CALLED_SO.fullmatch(member.name.rpartition("/")[2]) else None


def _read(member: Member) -> ClassList | None:
    """`1 Archery`, `0,archery`, `archery 0` or a name alone, one a line; the first line of numbered ones may be a header."""
    lines = [line.strip() for line in read_text(member).splitlines() if line.strip()]
    if numbered := _numbered(lines) or _numbered(lines[1:]):
        return ClassList(member, numbered, True)
    has_columns = any(set(SEPARATORS) & set(line) for line in lines)
    return None if has_columns or not lines else ClassList(member, dict(enumerate(lines)), False)


def _numbered(lines: list[str]) -> dict[int, str]:
    """The lines as numbers and different names, or nothing."""
    for pattern in NUMBERED:
        matches = [match for line in lines if (match := pattern.fullmatch(line))]
        names = {int(match["number"]): match["name"].strip("\"' ") for match in matches}
        if lines and len(lines) == len(matches) == len(set(names.values())):
            return names
    return {}
