"""A list as a table of cells, whatever program or person wrote it: Excel, a script, an editor."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ml.errors import BadLayout
from ml.video.layouts.lists import read_text
from ml.video.members import Member

SEPARATORS = ",;\t|，；"
EXCEL_HINT = re.compile(r"sep=(.)")
"""A first line that tells Excel, and nobody else, what parts the cells."""

Cells = tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The lines that hold anything, each with its number in the file, which counts from 1."""

    file: str
    lines: tuple[tuple[int, Cells], ...]

    @cached_property
    def columns(self) -> Cells:
        """The names in the first line, as programs would write them: “Video Name” is `video_name`."""
        return tuple(re.sub(r"[\s-]+", "_", cell.lower()) for cell in self.lines[0][1]) if self.lines else ()

    @property
    def shown_columns(self) -> str:
        return ", ".join(self.columns)


def read_sheet(member: Member) -> Sheet:
    """
    Raises:
        BadLayout: it is no text.
    """
    return sheet_of(read_text(member), member.name)


def sheet_of(text: str, file: str) -> Sheet:
    """Cells are parted by what the first line holds most of: comma, semicolon (Chinese ones too), tab or bar; else by the last space.

    Empty lines, and remarks that begin with #, say nothing.
    """
    hint, lines = _told_separator(_without_remarks(text.splitlines()))
    first = next((line for line in lines if line.strip()), "")
    separator = hint or max(SEPARATORS, key=first.count)
    if separator not in first and " " in first.strip():
        return Sheet(file, tuple((number, _spaced(line)) for number, line in enumerate(lines, 1) if line.strip()))
    return Sheet(file, tuple(_parted("\n".join(lines), separator, file)))


def _without_remarks(lines: list[str]) -> list[str]:
    """Remarks become empty lines, so that the others keep their numbers. A file may be called #1.mp4: its line has cells."""
    return ["" if line.startswith("#") and (line.startswith("# ") or not set(SEPARATORS) & set(line)) else line for line in lines]


def _told_separator(lines: list[str]) -> tuple[str, list[str]]:
    for number, line in enumerate(lines):
        if hint := EXCEL_HINT.fullmatch(line.strip('" \n')):
            return hint[1], ["", *lines[:number], *lines[number + 1 :]]
        if line.strip():
            break
    return "", lines


def _spaced(line: str) -> Cells:
    """`run/a clip.mp4 0`: a path may hold spaces, a label of this kind does not."""
    return tuple(cell.strip() for cell in line.strip().rsplit(None, 1))


def _parted(text: str, separator: str, file: str) -> Iterator[tuple[int, Cells]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, tuple(cell.strip() for cell in cells)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadLayout("{file} is no CSV: {problem}", "Save it again as CSV in UTF-8.", file=file, problem=error) from error
