"""The official UCF101 lists: `classInd.txt`, `trainlist0N.txt`, `testlist0N.txt`."""

import re
from collections.abc import Iterator

from ml.config.data import Subset
from ml.errors import BadLayout
from ml.video.layouts.lists import read_text
from ml.video.layouts.official import Listed, plan_from
from ml.video.layouts.plan import Plan
from ml.video.members import Member, Members
from ml.video.names import natural_key

TITLE = "UCF101 with its official lists"
LIST = re.compile(r"(?P<subset>train|test)list0*(?P<split>[1-9][0-9]*)\.txt")


def recognises(members: Members) -> bool:
    return bool(_lists(members))


def read(members: Members) -> Plan:
    """All splits whose lists are there; classes in the order of `classInd.txt`.

    Raises:
        BadLayout: a list is damaged, or no listed video is there.
    """
    lists = _lists(members)
    lines = [line for member, match in lists for line in _lines(member, match["subset"], match["split"])]  # type: ignore[arg-type]
    index = [member for name, member in members.files.items() if name.rpartition("/")[2] == "classInd.txt"]
    classes = _classes(index[0]) if index else tuple(sorted({line.label for line in lines}, key=natural_key))
    if unknown := sorted({line.label for line in lines} - set(classes)):
        raise BadLayout(
            "{file} does not know the class {label} of the lists",
            "Use the lists of one download together.",
            file=index[0].name,
            label=unknown[0],
        )
    names = frozenset(member.name for member in [*index, *(member for member, _ in lists)])
    return plan_from("ucf101", members, names, classes, lines)


def _lists(members: Members) -> list[tuple[Member, re.Match[str]]]:
    found = ((member, LIST.fullmatch(name.rpartition("/")[2])) for name, member in members.files.items())
    return [(member, match) for member, match in found if match]


def _lines(member: Member, subset: Subset, split: str) -> Iterator[Listed]:
    """`ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1`; the test lists name no class number."""
    for line in filter(None, map(str.strip, read_text(member).splitlines())):
        path = re.sub(r"\s+[0-9]+$", "", line)
        label, slash, _ = path.partition("/")
        if not slash:
            raise BadLayout("{file}: {line} is not Class/video.avi", "Use the list as it was published.", file=member.name, line=line[:80])
        yield Listed(path, label, split, subset)


def _classes(member: Member) -> tuple[str, ...]:
    """`1 ApplyEyeMakeup`, one a line."""
    pairs = [line.split(None, 1) for line in read_text(member).splitlines() if line.strip()]
    if bad := next((pair for pair in pairs if len(pair) != 2 or not pair[0].isdecimal()), None):
        raise BadLayout(
            "{file}: {line} is not a number and a class", "Use the list as it was published.", file=member.name, line=" ".join(bad)[:80]
        )
    return tuple(name.strip() for _, name in sorted(pairs, key=lambda pair: int(pair[0])))
