"""The Kinetics lists: `label,youtube_id,time_start,time_end,split`, one file or one a subset; clips are called `ID_000010_000020.mp4`."""

from collections.abc import Iterator

from ml.config.data import Finding, Subset
from ml.errors import BadLayout
from ml.video.layouts.lists import Finder, some
from ml.video.layouts.official import Listed, plan_from
from ml.video.layouts.plan import SUBSETS, Plan
from ml.video.layouts.sheet import Sheet, read_sheet
from ml.video.members import Member, Members
from ml.video.names import is_video_name, natural_key, suffix_of
from ml.words import Words

TITLE = "Kinetics with its lists"
COLUMNS = ("youtube_id", "time_start", "time_end")


def recognises(members: Members) -> bool:
    return bool(_lists(members))


def read(members: Members) -> Plan:
    """All listed clips that are there; those of one recording are a group. Many are missing, as a rule: YouTube no longer has them.

    Raises:
        BadLayout: a list is damaged, or no listed clip is there.
    """
    lists = _lists(members)
    finder = Finder((member for name, member in members.files.items() if is_video_name(name)), unique_names=True)
    sheets = [read_sheet(member) for member in lists]
    lines = [line for sheet in sheets for line in _lines(sheet, finder)]
    labelled = [line for line in lines if line.label]
    classes = tuple(sorted({line.label for line in labelled}, key=natural_key))
    plan = plan_from("kinetics", members, frozenset(member.name for member in lists), classes, labelled)
    if without := len(lines) - len(labelled):
        files = some(sheet.file for sheet in sheets if "label" not in sheet.columns)
        message = Words("{count} rows of {files} have no label and are left out", count=f"{without:,}", files=files)
        plan.findings.append(Finding(kind="unlisted", message=message))
    return plan


def _lists(members: Members) -> list[Member]:
    return [member for name, member in members.files.items() if suffix_of(name) == ".csv" and _names_clips(member)]


def _names_clips(member: Member) -> bool:
    with member.open() as stream:
        header = stream.read(1000).decode("utf-8", "replace").partition("\n")[0]
    return all(column in header for column in COLUMNS)


def _lines(sheet: Sheet, finder: Finder) -> Iterator[Listed]:
    for number, cells in sheet.lines[1:]:
        row = dict(zip(sheet.columns, cells, strict=False))
        subset = row.get("split") or sheet.file.rpartition("/")[2]
        try:
            path = _clip(row["youtube_id"], int(float(row["time_start"])), int(float(row["time_end"])), finder)
        except (KeyError, ValueError) as error:
            raise BadLayout(
                "{file}: row {row} has no clip of a time", "Use the list as it was published.", file=sheet.file, row=number
            ) from error
        yield Listed(path, row.get("label", ""), "1", _subset(subset), row["youtube_id"])


def _subset(text: str) -> Subset | None:
    """`validate`, or the name of a file, such as `kinetics_400_train.csv`."""
    return next((subset for name, subset in SUBSETS.items() if name in text.lower()), None)


def _clip(youtube_id: str, start: int, end: int, finder: Finder) -> str:
    """What the clip is called here: as the official downloader does it, as others do, or as the whole recording."""
    official = f"{youtube_id}_{start:06}_{end:06}"
    names = (official, f"{youtube_id}_{start}_{end}", youtube_id)
    return next((name for name in names if finder.find(name)), official)
