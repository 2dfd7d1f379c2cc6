"""A CSV list: `path,label[,subset][,group]`, one row a video."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from ml.config.data import Finding, Subset
from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts.lists import Finder, read_text, some
from ml.video.layouts.plan import Item, Plan, PlannedSplit
from ml.video.members import Member, Members
from ml.video.names import LIST_SUFFIXES, MAX_PART, is_video_name, natural_key, suffix_of
from ml.words import Words

TITLE = "CSV list"
REQUIRED = ("path", "label")
SUBSETS: dict[str, Subset] = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Row:
    """One line of the list; `number` counts from 1 with the header."""

    number: int
    path: str
    label: str
    subset: str
    group: str


def recognises(members: Members) -> bool:
    return bool(_lists(members))


def read(members: Members) -> Plan:
    """The rows whose file is there; the others are problems.

    Raises:
        BadLayout: a column is missing, or no file of the list is there.
    """
    lists = _lists(members)
    if len(lists) > 1:
        raise BadLayout(
            "There are {count} CSV lists: {files}",
            "Keep the one that counts.",
            count=len(lists),
            files=some(member.name for member in lists),
        )
    videos = [member for name, member in members.files.items() if is_video_name(name)]
    plan = Plan("csv", (), [], lists=frozenset(member.name for member in lists))
    rows = list(_rows(lists[0]))
    finder = Finder(videos)
    subsets = _take(plan, rows, finder)
    if not any(map(finder.find, (row.path for row in rows))):
        raise BadLayout(
            "No video that {file} names is there, e.g. {missing}",
            "The sources hold {found}: write the paths like that.",
            file=lists[0].name,
            missing=some((row.path for row in rows), 1, none=Words("it has no rows")),
            found=some((member.name for member in videos), 1, none=Words("no video")),
        )
    plan.classes = tuple(sorted({item.label for item in plan.items}, key=natural_key))
    plan.splits = [PlannedSplit("1", "csv", subsets)] if subsets else []
    plan.findings = _unlisted(plan, videos, lists[0].name, subsets)
    return plan


def _lists(members: Members) -> list[Member]:
    """CSV files outside the class folders: those that lie highest."""
    files = [member for name, member in members.files.items() if suffix_of(name) in LIST_SUFFIXES and _is_table(member)]
    highest = min((member.name.count("/") for member in files), default=0)
    return [member for member in files if member.name.count("/") == highest]


def _is_table(member: Member) -> bool:
    """A .csv or .tsv is meant as a list, right or wrong; a .txt only when its first line says so."""
    if suffix_of(member.name) != ".txt":
        return True
    with member.open() as stream:
        header = stream.read(1000).decode("utf-8", "replace").partition("\n")[0].lower()
    return all(column in header for column in REQUIRED)


def _rows(member: Member) -> Iterator[Row]:
    text = read_text(member)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
        columns = {name.strip().lower(): name for name in reader.fieldnames or []}
        if missing := [column for column in REQUIRED if column not in columns]:
            raise BadLayout(
                "{file} has no column {missing}; it has: {columns}"
                if len(missing) == 1
                else "{file} has no column path and no column label; it has: {columns}",
                "The first line must name the columns: path,label and, if you like, subset,group.",
                file=member.name,
                missing=missing[0],
                columns=", ".join(columns) or Words("none"),
            )
        for record in reader:
            cells = {column: (record[name] or "").strip() for column, name in columns.items()}
            if any(cells.values()):
                yield Row(reader.line_num, cells["path"], cells["label"], cells.get("subset", ""), cells.get("group", ""))
    except csv.Error as error:
        raise BadLayout("{file} is no CSV: {problem}", "Save it again as CSV in UTF-8.", file=member.name, problem=error) from error


def _take(plan: Plan, rows: list[Row], finder: Finder) -> dict[str, Subset]:
    """Fill the plan's items; the subsets by member name."""
    subsets: dict[str, Subset] = {}
    labels: dict[str, str] = {}
    for row in rows:
        member = _member(plan, row, finder, labels)
        if member is None:
            continue
        labels[member.name] = row.label
        plan.items.append(Item(member, row.label, row.group[:MAX_PART] or group_of(member.name)))
        if row.subset:
            subsets[member.name] = SUBSETS[row.subset.lower()]
    return subsets


def _member(plan: Plan, row: Row, finder: Finder, labels: dict[str, str]) -> Member | None:
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
    elif found[0].name in labels:
        if labels[found[0].name] != row.label:
            plan.refuse(
                shown,
                "Row {row} gives it a second label; {label} was taken",
                "Keep one row a video.",
                row=row.number,
                label=labels[found[0].name],
            )
    else:
        return found[0]
    return None


def _unlisted(plan: Plan, videos: list[Member], list_name: str, subsets: dict[str, Subset]) -> list[Finding]:
    taken = {item.member.name for item in plan.items}
    outside = tuple(member.name for member in videos if member.name not in taken)
    undecided = tuple(sorted(taken - subsets.keys())) if subsets else ()
    findings = []
    if outside:
        findings.append(
            Finding(
                kind="unlisted",
                message=Words("{count} videos are in no row of {list_name} and stay out", count=len(outside), list_name=list_name),
                videos=outside,
            )
        )
    if undecided:
        message = Words(
            "{count} videos have no subset in {list_name}: they are neither trained on nor tested",
            count=len(undecided),
            list_name=list_name,
        )
        findings.append(Finding(kind="unlisted", message=message, videos=undecided))
    return findings
