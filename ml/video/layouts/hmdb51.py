"""The official HMDB51 lists: `<class>_test_split{1,2,3}.txt`, one line a video with 1 for training, 2 for test, 0 for neither."""

import re
from collections.abc import Iterator

from ml.config.data import Subset
from ml.errors import BadLayout
from ml.video.layouts.lists import read_text
from ml.video.layouts.official import Listed, plan_from
from ml.video.layouts.plan import Plan
from ml.video.members import Member, Members
from ml.video.names import natural_key

TITLE = "HMDB51 with its official lists"
LIST = re.compile(r"(?P<label>.+)_test_split(?P<split>[1-9])\.txt")
CODES: dict[str, Subset | None] = {"0": None, "1": "train", "2": "test"}


def recognises(members: Members) -> bool:
    return bool(_lists(members))


def read(members: Members) -> Plan:
    """All splits whose lists are there; classes in natural order.

    Raises:
        BadLayout: a list is damaged, or no listed video is there.
    """
    lists = _lists(members)
    lines = [line for member, match in lists for line in _lines(member, match["label"], match["split"])]
    classes = tuple(sorted({match["label"] for _, match in lists}, key=natural_key))
    return plan_from("hmdb51", members, frozenset(member.name for member, _ in lists), classes, lines)


def _lists(members: Members) -> list[tuple[Member, re.Match[str]]]:
    found = ((member, LIST.fullmatch(name.rpartition("/")[2])) for name, member in members.files.items())
    return [(member, match) for member, match in found if match]


def _lines(member: Member, label: str, split: str) -> Iterator[Listed]:
    """`April_09_brush_hair_u_nm_np1_ba_goo_0.avi 1`."""
    for line in filter(None, map(str.strip, read_text(member).splitlines())):
        name, _, code = line.rpartition(" ")
        if not name or code not in CODES:
            raise BadLayout(
                "{file}: {line} is not a video and 0, 1 or 2", "Use the list as it was published.", file=member.name, line=line[:80]
            )
        yield Listed(f"{label}/{name.strip()}", label, split, CODES[code])
