"""Names as users' machines wrote them: decoded, sorted out, shown, never used as a path of ours."""

import re
import unicodedata
from pathlib import PurePosixPath

from ml.video.encodings import decoded
from ml.words import Words

VIDEO_SUFFIXES = frozenset(
    (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".m2v", ".ts", ".mts", ".m2ts", ".wmv", ".asf",
     ".flv", ".f4v", ".3gp", ".3g2", ".ogv", ".vob", ".divx", ".xvid", ".gif", ".qt", ".mpe", ".rm", ".rmvb", ".mxf", ".dv", ".ivf",
     ".h264", ".264", ".hevc", ".h265", ".265")
)  # fmt: skip
READ_ARCHIVES = frozenset([".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"])
ARCHIVE_SUFFIXES = READ_ARCHIVES | {".rar", ".7z", ".zst"}
LIST_SUFFIXES = frozenset((".csv", ".tsv", ".txt"))

MAX_LENGTH = 1000
MAX_PART = 200
MAX_DEPTH = 16


def decode_name(raw: bytes, western: str = "latin-1") -> str:
    """A name of unknown encoding: UTF-8, else the Chinese GB 18030 or `western`. Composed (NFC)."""
    return unicodedata.normalize("NFC", decoded(raw, western))


def tidy(name: str) -> str:
    """A name from an archive as Unix writes it: Windows parts folders by a backslash, tar and some zips begin at the folder they lie in."""
    return re.sub(r"^(\./)+", "", name.replace("\\", "/"))


SCATTERED = frozenset(
    ("__MACOSX", ".DS_Store", "Icon\r", ".Spotlight-V100", ".Trashes", ".fseventsd", "Thumbs.db", "ehthumbs.db", "desktop.ini",
     "$RECYCLE.BIN", "System Volume Information", "@eaDir", "#recycle")
)  # fmt: skip


def is_ignorable(name: str) -> bool:
    """What operating systems and file servers scatter about: nobody wants to hear of it."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return any(part in SCATTERED or part.startswith("._") for part in parts)


def why_unsafe(name: str) -> str:
    """Why a name inside an archive is refused; empty when it is harmless."""
    parts = name.split("/")
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", name):
        return Words("Its name holds a control character")
    if "\\" in name:
        return Words("Its name holds a backslash")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return Words("Its name is an absolute path")
    if ".." in parts:
        return Words("Its name leads out of the archive")
    if "" in parts or "." in parts:
        return Words("Its name is no plain path")
    if len(parts) > MAX_DEPTH:
        return Words("It lies {count} folders deep (limit {limit})", count=len(parts), limit=MAX_DEPTH)
    if len(name) > MAX_LENGTH or max(map(len, parts)) > MAX_PART:
        return Words("Its name is too long (limit {limit} characters a part)", limit=MAX_PART)
    return ""


def suffix_of(name: str) -> str:
    """The suffix in lower case, with its dot."""
    return PurePosixPath(name).suffix.lower()


def is_video_name(name: str) -> bool:
    return suffix_of(name) in VIDEO_SUFFIXES


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts `clip2` before `clip10`."""
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.casefold()) for part in parts if part)
