"""How datasets are laid out: one reader a file, and what recognises which."""

from types import ModuleType

from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts import folders, hmdb51, table, ucf101
from ml.video.layouts.plan import Item, Plan
from ml.video.members import Members
from ml.video.names import is_video_name

LAYOUTS: dict[str, ModuleType] = {"ucf101": ucf101, "hmdb51": hmdb51, "csv": table, "folders": folders}
"""Asked in this order: lists before folders, for lists know more. Each has TITLE, `recognises(members)`, `read(members) -> Plan`."""


def recognise(members: Members, label: str = "") -> Plan:
    """The plan of the first layout that knows these files; with `label`, every video gets that one and no layout is asked.

    Raises:
        BadLayout: no layout knows them, or the lists do not fit the files.
    """
    plan = _with_one_label(members, label) if label else _with_layout(members)
    used = plan.lists | {item.member.name for item in plan.items} | {problem.path for problem in plan.problems}
    plan.problems = members.problems + plan.problems
    for name in members.files:
        if name not in used and not is_video_name(name):
            plan.refuse(name, "It is no video", "Leave it out; or if it is one, give it its usual ending, such as .mp4 or .avi.")
    return plan


def _with_layout(members: Members) -> Plan:
    for layout in LAYOUTS.values():
        if layout.recognises(members):
            plan: Plan = layout.read(members)
            return plan
    raise _no_video(members)


def _with_one_label(members: Members, label: str) -> Plan:
    items = [Item(member, label, group_of(name)) for name, member in members.files.items() if is_video_name(name)]
    if not items:
        raise _no_video(members)
    return Plan("folders", (label,), items)


def _no_video(members: Members) -> BadLayout:
    """Says so, and the first thing that was wrong with what was there."""
    why = f"; {members.problems[0].path}: {members.problems[0].reason}" if members.problems else ""
    return BadLayout(
        f"There is no video among {len(members.files):,} files{why}", "Give videos, or a zip or folder with one folder per class."
    )
