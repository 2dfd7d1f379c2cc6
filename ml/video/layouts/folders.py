"""One folder per class; or `train/` and `test/`, and in each one folder per class, or the other way round."""

from ml.config.data import Finding
from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts.plan import SUBSETS, Item, Plan, PlannedSplit
from ml.video.members import Member, Members
from ml.video.names import is_video_name, natural_key
from ml.words import Words

TITLE = "One folder per class"


def recognises(members: Members) -> bool:
    return any(is_video_name(name) for name in members.files)


def read(members: Members) -> Plan:
    """The class of a video is its first folder, once a folder around everything is taken away.

    Raises:
        BadLayout: videos, but no folders that could be classes.
    """
    videos = [member for name, member in members.files.items() if is_video_name(name)]
    depth = _wrapper_depth([member.name.split("/") for member in videos])
    placed = [(member, member.name.split("/")[depth:-1]) for member in videos]
    plan = Plan("folders", (), [])
    level = _subset_level([folders for _, folders in placed])
    for member, folders in placed:
        _place(plan, member, [folder for number, folder in enumerate(folders) if number != level])
    if not plan.items:
        raise BadLayout("The videos lie in no folders: their classes are unknown", "Make one folder per class, or add a CSV list.")
    plan.classes = tuple(sorted({item.label for item in plan.items}, key=natural_key))
    if level is not None:
        plan.splits = [_split(plan.items, depth + level)]
    plan.findings = _empty_classes(members, plan, depth + (level == 0))
    return plan


def _wrapper_depth(names: list[list[str]]) -> int:
    """How many folders stand around everything: shared by all videos, with class folders still below."""
    depth = 0
    while all(len(parts) > depth + 2 for parts in names) and len({parts[depth] for parts in names}) == 1:
        depth += 1
    return depth


def _subset_level(placed: list[list[str]]) -> int | None:
    """Where the folders of subsets are: above those of the classes (0), in them (1), or nowhere."""
    for level in (0, 1):
        names = {folders[level].lower() if len(folders) > level else "" for folders in placed}
        if len(names) > 1 and names <= SUBSETS.keys():
            if level == 0 and not all(len(folders) > 1 for folders in placed):
                raise BadLayout(
                    "The folders {folders} hold videos, but no class folders",
                    "Make one folder per class in each of them.",
                    folders=" and ".join(sorted(names)),
                )
            return level
    return None


def _place(plan: Plan, member: Member, folders: list[str]) -> None:
    if folders:
        plan.items.append(Item(member, folders[0].strip() or folders[0], group_of(member.name)))
    else:
        plan.refuse(member.name, "It lies in no class folder", "Move it into the folder of its class.")


def _split(items: list[Item], depth: int) -> PlannedSplit:
    return PlannedSplit("1", "folder", {item.member.name: SUBSETS[item.member.name.split("/")[depth].lower()] for item in items})


def _empty_classes(members: Members, plan: Plan, depth: int) -> list[Finding]:
    parts = [folder.split("/") for folder in members.folders]
    empty = {folder[depth].strip() for folder in parts if len(folder) == depth + 1} - set(plan.classes)
    names = sorted(empty, key=natural_key)
    return [
        Finding(kind="empty_class", message=Words("The folder {name} holds no video: it becomes no class", name=name)) for name in names
    ]
