"""What the lists of UCF101, HMDB51 and Kinetics have in common: splits of one set of videos, some of which may be absent."""

from collections.abc import Iterable
from dataclasses import dataclass

from ml.config.data import Finding, Subset
from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts.lists import Finder, some
from ml.video.layouts.plan import Item, Plan, PlannedSplit
from ml.video.members import Member, Members
from ml.video.names import MAX_PART, is_video_name
from ml.words import Words


@dataclass(frozen=True)
class Listed:
    """A line of a list: `subset` in the split called `split`, or None where the list leaves the video out of it.

    `group` is empty where the file's name tells it.
    """

    path: str
    label: str
    split: str
    subset: Subset | None
    group: str = ""


def plan_from(layout: str, members: Members, lists: frozenset[str], classes: tuple[str, ...], lines: Iterable[Listed]) -> Plan:
    """Videos that are there and listed, all splits; what is missing or unlisted is told.

    Raises:
        BadLayout: no listed video is there, or a class has an endless name.
    """
    videos = [member for name, member in members.files.items() if is_video_name(name)]
    finder = Finder(videos, unique_names=True)
    items: dict[str, Item] = {}
    splits: dict[str, dict[str, Subset]] = {}
    missing: dict[str, None] = {}
    for line in lines:
        if len(line.label) > MAX_PART:
            raise BadLayout(
                "The class {label} is longer than {limit} characters",
                "Use the lists as they were published.",
                label=line.label[:80],
                limit=MAX_PART,
            )
        found = finder.find(line.path)
        subsets = splits.setdefault(line.split, {})
        if not found:
            missing[line.path] = None
            continue
        member = found[0]
        items.setdefault(member.name, Item(member, line.label, line.group or group_of(member.name)))
        if line.subset:
            subsets[member.name] = line.subset
    if not items:
        raise BadLayout(
            "No video of the official lists is there, e.g. {missing}",
            "The sources hold {found}; add the videos to the lists.",
            missing=some(missing, 1, none=Words("the lists are empty")),
            found=some((member.name for member in videos), 1, none=Words("no video")),
        )
    plan = Plan(layout, classes, list(items.values()), lists=lists)
    plan.splits = [PlannedSplit(name, "official", splits[name]) for name in sorted(splits)]
    _add_unlisted(plan, [video for video in videos if video.name not in items])
    if missing:
        message = Words("{count} listed videos are missing: {names}", count=f"{len(missing):,}", names=some(missing))
        plan.findings.append(Finding(kind="missing", message=message, videos=tuple(missing)))
    return plan


def _add_unlisted(plan: Plan, videos: list[Member]) -> None:
    """A video in no list belongs to the class of its folder and to no subset."""
    known = set(plan.classes)
    names = []
    for member in videos:
        label = ("/" + member.name).split("/")[-2]
        if label in known:
            names.append(member.name)
            plan.items.append(Item(member, label, group_of(member.name)))
        else:
            plan.refuse(member.name, "It is in no list, and its folder is no class of the lists", "Add it to a list, or leave it out.")
    if names:
        message = Words(
            "{count} videos are in no list: they get the class of their folder and belong to no subset: {names}",
            count=f"{len(names):,}",
            names=some(names),
        )
        plan.findings.append(Finding(kind="unlisted", message=message, videos=tuple(names)))
