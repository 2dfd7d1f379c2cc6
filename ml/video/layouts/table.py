"""A CSV list: `path,label[,subset][,group]`, one row a video; or one list a subset: `train.csv`, `val.csv`, `test.csv`."""

import re
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import replace

from ml.config.data import Finding, Subset
from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts.classes import ClassList, are_numbers, as_class_list, class_list
from ml.video.layouts.list_findings import contradictions, unlisted
from ml.video.layouts.lists import Finder, some
from ml.video.layouts.plan import SUBSETS, Item, Plan, PlannedSplit
from ml.video.layouts.rows import Row, Table, is_meant_as_list, table_of
from ml.video.members import Member, Members
from ml.video.names import LIST_SUFFIXES, MAX_PART, is_video_name, natural_key, suffix_of
from ml.words import Words

TITLE = "CSV list"
SUBSET_IN_NAME = re.compile("train|val|test")


def recognises(members: Members) -> bool:
    return bool(_tables(members))


def read(members: Members) -> Plan:
    """The rows whose file is there; the others are problems.

    Raises:
        BadLayout: a column is missing, or no file of the list is there.
    """
    tables = _tables(members)
    shown = some(table.sheet.file for table in tables)
    videos = [member for name, member in members.files.items() if is_video_name(name)]
    plan = Plan("csv", (), [], lists=frozenset(table.member.name for table in tables))
    rows = _named(plan, _rows(tables), members, shown)
    finder = Finder(videos)
    subsets = _take(plan, rows, finder)
    if not any(map(finder.find, (row.path for row in rows))):
        raise BadLayout(
            "No video that {file} names is there, e.g. {missing}",
            "The sources hold {found}: write the paths like that.",
            file=shown,
            missing=some((row.path for row in rows), 1, none=Words("it has no rows")),
            found=some((member.name for member in videos), 1, none=Words("no video")),
        )
    plan.classes = plan.classes or tuple(sorted({item.label for item in plan.items}, key=natural_key))
    plan.splits = [PlannedSplit("1", "csv", subsets)] if subsets else []
    plan.findings += unlisted(plan, videos, shown, subsets)
    return plan


def _tables(members: Members) -> list[Table]:
    """The lists that lie highest, outside the class folders; where there is none, files that lack a column and so were meant as one."""
    by_depth: defaultdict[int, list[Member]] = defaultdict(list)
    for name, member in members.files.items():
        if suffix_of(name) in LIST_SUFFIXES and is_meant_as_list(member):
            by_depth[name.count("/")].append(member)
    folders = {name.rpartition("/")[0] for name in members.files if is_video_name(name)}
    incomplete: list[Table] = []
    for depth in sorted(by_depth):
        tables = [table_of(member) for member in by_depth[depth]]
        if lists := [table for table in tables if table.is_list]:
            return lists
        incomplete = incomplete or [table for table in tables if _was_meant(table, folders)]
    return incomplete


def _was_meant(table: Table, folders: Set[str]) -> bool:
    """Half a list is a list gone wrong; so is any other, where no folders tell the classes. What lies in a class folder is neither."""
    lies_outside = table.member.name.rpartition("/")[0] not in folders
    is_half = bool(table.columns.keys() & {"path", "label"})
    return (len(folders) <= 1 or (lies_outside and is_half)) and as_class_list(table.member) is None


def _rows(tables: Sequence[Table]) -> list[Row]:
    """Of the only list; or of one a subset, which their names tell.

    Raises:
        BadLayout: several, and their names do not tell which is which.
    """
    if len(tables) == 1:
        return list(tables[0].rows())
    subsets = [SUBSET_IN_NAME.findall(table.sheet.file.rpartition("/")[2].lower()) for table in tables]
    if any(len(set(found)) != 1 for found in subsets) or len({found[0] for found in subsets}) < len(tables):
        raise BadLayout(
            "There are {count} CSV lists: {files}",
            "Keep the one that counts, or call them train.csv, val.csv and test.csv.",
            count=len(tables),
            files=some(table.sheet.file for table in tables),
        )
    return [row for table, found in zip(tables, subsets, strict=True) for row in table.rows(found[0])]


def _named(plan: Plan, rows: list[Row], members: Members, shown: str) -> list[Row]:
    """The rows with names for labels that are numbers, where a list of classes is there."""
    labels = {row.label for row in rows if row.label}
    if not labels or not are_numbers(labels):
        return rows
    found = class_list(members, plan.lists)
    if found is None:
        message = Words("The labels in {file} are numbers, and no list of their names is there, such as classes.txt", file=shown)
        plan.findings.append(Finding(kind="note", message=message))
        return rows
    return _renamed(plan, rows, found, found.named(labels))


def _renamed(plan: Plan, rows: list[Row], classes: ClassList, names: dict[str, str]) -> list[Row]:
    plan.lists |= {classes.member.name}
    plan.classes = tuple(dict.fromkeys(name for _, name in sorted(classes.names.items())))
    for row in rows:
        if row.label and row.label not in names:
            plan.refuse(
                row.path,
                "Row {row} has the class number {label}, which {file} does not know",
                "Use the lists of one download together.",
                row=row.number,
                label=row.label,
                file=classes.member.name,
            )
    return [replace(row, label=names.get(row.label, "")) for row in rows if not row.label or row.label in names]


def _take(plan: Plan, rows: list[Row], finder: Finder) -> dict[str, Subset]:
    """Fill the plan's items; the subsets by member name. Of two rows of a video the first is taken, and that is told."""
    taken: dict[str, Row] = {}
    others: list[tuple[str, Row]] = []
    for row in rows:
        member = _member(plan, row, finder)
        if member is not None and member.name not in taken:
            taken[member.name] = row
            plan.items.append(Item(member, row.label, row.group[:MAX_PART] or group_of(member.name)))
        elif member is not None:
            others.append((member.name, row))
    plan.findings += contradictions(taken, others)
    return {name: SUBSETS[row.subset.lower()] for name, row in taken.items() if row.subset}


def _member(plan: Plan, row: Row, finder: Finder) -> Member | None:
    """The file of a row, or None and a problem noted."""
    found = finder.find(row.path)
    shown = row.path or f"row {row.number}"
    if not row.label:
        plan.refuse(shown, "Row {row} has no label", "Fill in its label.", row=row.number)
    elif len(row.label) > MAX_PART:
        plan.refuse(shown, "The label in row {row} is longer than {limit} characters", "Shorten it.", row=row.number, limit=MAX_PART)
    elif row.subset and row.subset.lower() not in SUBSETS:
        plan.refuse(
            shown,
            "Row {row} has the unknown subset {subset}",
            "Allowed are train, validation (or val) and test; leave it empty for a video that is in none.",
            row=row.number,
            subset=row.subset,
        )
    elif not found:
        plan.refuse(shown, "Row {row} names it, but it is not there", "Add the video, or correct its path in the list.", row=row.number)
    elif len(found) > 1:
        plan.refuse(shown, "It may mean {files}", "Write the whole path in the list.", files=some(member.name for member in found))
    else:
        return found[0]
    return None
