"""How datasets are laid out: one reader a file, and what recognises which."""

from dataclasses import replace
from types import ModuleType

from ml.config.data import Refusal
from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts import folders, hmdb51, json_lists, kinetics, table, ucf101
from ml.video.layouts.left_out import OTHERS, why_left_out
from ml.video.layouts.plan import Item, Plan
from ml.video.members import Members
from ml.video.names import is_video_name
from ml.words import Words

LAYOUTS: dict[str, ModuleType] = {
    "ucf101": ucf101, "hmdb51": hmdb51, "kinetics": kinetics, "csv": table, "json": json_lists, "folders": folders,
}  # fmt: skip
"""Asked in this order: lists before folders, for lists know more. Each has TITLE, `recognises(members)`, `read(members) -> Plan`."""


def recognise(members: Members, label: str = "", group: str = "") -> Plan:
    """The plan of the first layout that knows these files; with `label`, every video gets that one and no layout is asked.

    Args:
        group: with `label`, what all of them were cut from; else a video's group is read from its name.

    Raises:
        BadLayout: no layout knows them, the lists do not fit the files, or every video is empty.
    """
    plan = _with_one_label(members, label, group) if label else _with_layout(members)
    used = plan.lists | {item.member.name for item in plan.items} | {problem.path for problem in plan.problems}
    of_layout, plan.problems = plan.problems, [*members.problems]
    for name in members.files:
        if name not in used and not is_video_name(name):
            plan.refuse(name, *why_left_out(name))
    plan.problems += of_layout
    _leave_out_empty_files(plan)
    if not plan.items:
        raise _no_usable_video(plan)
    return plan


def _leave_out_empty_files(plan: Plan) -> None:
    """What can be known without decoding."""
    for item in plan.items:
        if not item.member.size:
            plan.refuse(item.member.name, "The file is empty (0 bytes)", "Copy or upload it again.")
    plan.items = [item for item in plan.items if item.member.size]
    names = {item.member.name for item in plan.items}
    plan.splits = [
        replace(split, subsets={name: subset for name, subset in split.subsets.items() if name in names}) for split in plan.splits
    ]


def _with_layout(members: Members) -> Plan:
    for layout in LAYOUTS.values():
        if layout.recognises(members):
            plan: Plan = layout.read(members)
            return plan
    raise _no_video(members)


def _with_one_label(members: Members, label: str, group: str) -> Plan:
    items = [Item(member, label, group or group_of(name)) for name, member in members.files.items() if is_video_name(name)]
    if not items:
        raise _no_video(members)
    return Plan("folders", (label,), items)


def _no_usable_video(plan: Plan) -> BadLayout:
    """Says why the last was left out; what was wrong before is no video, as a rule."""
    last = plan.problems[-1]
    return BadLayout("There is no usable video{why}", last.advice, why=_because(last))


def _no_video(members: Members) -> BadLayout:
    """Says so, and the first thing that was wrong with what was there."""
    told = ((name, why_left_out(name)) for name in members.files)
    others = [Refusal(path=name, reason=why[0], advice=why[1]) for name, why in told if why != OTHERS]
    first = next(iter([*members.problems, *others]), None)
    return BadLayout(
        "There is no video among {count} files{why}",
        first.advice if first else "Give videos, or a zip or folder with one folder per class.",
        count=f"{len(members.files) + len(members.problems):,}",
        why=_because(first) if first else "",
    )


def _because(problem: Refusal) -> Words:
    return Words("; {path}: {reason}", path=problem.path, reason=problem.reason)
