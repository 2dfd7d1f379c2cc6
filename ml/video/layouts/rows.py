"""The rows of a list: what its columns are called, or that they have no names, and what each row says of a video."""

from collections.abc import Iterator
from dataclasses import dataclass

from ml.errors import BadLayout
from ml.video.layouts.plan import SUBSETS
from ml.video.layouts.sheet import Sheet, read_sheet, sheet_of
from ml.video.members import Member
from ml.video.names import is_video_name, suffix_of
from ml.words import Words

REQUIRED = ("path", "label")
COLUMNS: dict[str, tuple[str, ...]] = {
    "path": ("path", "file", "filename", "file_name", "filepath", "file_path", "video", "video_path", "video_name", "video_file",
             "clip", "clip_path", "clip_name", "name", "video_id", "文件", "文件名", "路径", "视频"),
    "label": ("label", "class", "category", "class_name", "classname", "label_name", "action", "action_name", "activity", "target",
              "标签", "类别", "类名"),
    "subset": ("subset", "split", "partition", "set", "子集", "划分"),
    "group": ("group", "source", "分组"),
}  # fmt: skip
"""What people call the columns; of several that are there, the one named first counts."""

SEVERAL_LABELS = {"actions", "labels", "tags"}
"""Columns of lists that give a video many labels, as Charades does."""


@dataclass(frozen=True)
class Row:
    """One line of a list; `number` counts from 1 with the header."""

    number: int
    path: str
    label: str
    subset: str
    group: str


@dataclass(frozen=True)
class Table:
    """A sheet and the places of the columns that are known."""

    member: Member
    sheet: Sheet
    columns: dict[str, int]
    has_header: bool

    @property
    def is_list(self) -> bool:
        return all(column in self.columns for column in REQUIRED)

    def rows(self, subset: str = "") -> Iterator[Row]:
        """The rows, of `subset` where they do not say it.

        Raises:
            BadLayout: a column is missing, or a quotation mark is not closed.
        """
        if not self.is_list:
            raise self._incomplete()
        for number, cells in self.sheet.lines[self.has_header :]:
            named = {column: cells[place] if place < len(cells) else "" for column, place in self.columns.items()}
            row = Row(number, named["path"], named["label"], named.get("subset", "") or subset, named.get("group", ""))
            if "\n" in row.path + row.label:
                raise BadLayout(
                    "{file}: a quotation mark in row {row} is not closed", "Close it, or take it away.", file=self.sheet.file, row=number
                )
            if row.path or row.label:
                yield row

    def _incomplete(self) -> BadLayout:
        missing = [column for column in REQUIRED if column not in self.columns]
        return BadLayout(
            "{file} has no column {missing}; it has: {columns}"
            if len(missing) == 1
            else "{file} has no column path and no column label; it has: {columns}",
            "A video has one label here: choose one of each, in a CSV with the columns path,label."
            if SEVERAL_LABELS & set(self.sheet.columns)
            else "The first line must name the columns: path,label and, if you like, subset,group.",
            file=self.sheet.file,
            missing=missing[0],
            columns=", ".join(self.sheet.columns) or Words("none"),
        )


def table_of(member: Member) -> Table:
    """
    Raises:
        BadLayout: the file is no text.
    """
    return _table(member, read_sheet(member))


def is_meant_as_list(member: Member) -> bool:
    """A .csv or .tsv is, right or wrong; a .txt only when it begins like one."""
    if suffix_of(member.name) != ".txt":
        return True
    with member.open() as stream:
        head = stream.read(1000).decode("utf-8", "replace")
    return _table(member, sheet_of(head, member.name)).is_list


def _table(member: Member, sheet: Sheet) -> Table:
    first = sheet.lines[0][1] if sheet.lines else ()
    if len(first) > 1 and is_video_name(first[0]):
        subset = {"subset": 2} if first[2:] and first[2].lower() in SUBSETS else {}
        return Table(member, sheet, {"path": 0, "label": 1, **subset}, has_header=False)
    places = {
        column: sheet.columns.index(known[0])
        for column, names in COLUMNS.items()
        if (known := [name for name in names if name in sheet.columns])
    }
    return Table(member, sheet, places, has_header=True)
