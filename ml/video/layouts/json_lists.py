"""Labels in JSON, as Something-Something and ActivityNet have them: not read, and said before folders are taken for classes."""

from typing import NoReturn

from ml.errors import BadLayout
from ml.video.layouts.lists import some
from ml.video.members import Members
from ml.video.names import is_video_name, suffix_of

TITLE = "JSON lists"


def recognises(members: Members) -> bool:
    """Whether there is JSON, and no folders that could be classes."""
    folders = {name.rpartition("/")[0] for name in members.files if is_video_name(name)}
    return len(folders) == 1 and bool(_lists(members))


def read(members: Members) -> NoReturn:
    """
    Raises:
        BadLayout: always.
    """
    raise BadLayout(
        "The labels seem to be in {files}, and lists in JSON are not read",
        "Write them as a CSV with the columns path,label and, if you like, subset,group; or make one folder per class.",
        files=some(_lists(members)),
    )


def _lists(members: Members) -> list[str]:
    return [name for name in members.files if suffix_of(name) in {".json", ".jsonl"}]
