"""What a file is that was taken for a video and is none: its first bytes tell."""

import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ml.errors import BadVideo
from ml.words import Words

HEAD_BYTES = 4096

PICTURE = Words("It is a picture, no video"), Words("Leave it out.")
SOUND = Words("The file has sound but no video stream"), Words("Leave it out, or export it again with its pictures.")
ARCHIVE = Words("It is an archive, no video"), Words("Unpack it, and give it its own ending if it is one of videos.")

SIGNATURES: tuple[tuple[bytes, tuple[Words, Words]], ...] = (
    (rb"\xff\xd8\xff|\x89PNG|BM.{4}\0\0\0\0|II\*\0|MM\0\*|RIFF.{4}WEBP|.{4}ftyp(?:hei[cfx]|mif1|avif)", PICTURE),
    (rb"ID3|\xff[\xfb\xf3\xf2]|fLaC|RIFF.{4}WAVE", SOUND),
    (rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|\xfd7zXZ", ARCHIVE),
    (rb"(?i:\s*<(?:!doctype html|html|head|\?xml))", (Words("It is a web page, no video"), Words("Download the video itself again."))),
    (rb"version https://git-lfs", (Words("It is a pointer of Git LFS, no video"), Words("Fetch the videos first: git lfs pull"))),
    (rb"\0{1024}", (Words("It begins with nothing but zeros"), Words("Its download was not finished: download or copy it again."))),
)  # fmt: skip


def no_video(path: Path) -> BadVideo:
    """The error for a file that no container of ours opens, as particular as its bytes allow."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        for pattern, (reason, advice) in SIGNATURES:
            if re.match(pattern, head, re.DOTALL):
                return BadVideo(reason, advice)
        if head[4:8] == b"ftyp" and b"moov" not in _boxes(file):
            return BadVideo("It was cut off: the index at its end is missing", "Copy it again; a recording that broke off cannot be read.")
    return BadVideo("The file is no video, or its header is missing", "Check that it plays; if it was cut off in a copy, copy it again.")


def _boxes(file: BinaryIO) -> Iterator[bytes]:
    """The types of an mp4's outermost boxes, as far as they are whole."""
    end, place = file.seek(0, os.SEEK_END), 0
    while len(header := _read_at(file, place, 16)) >= 8:
        size, kind = struct.unpack_from(">I4s", header)
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
        place += size
        if size < 8 or place > end:
            return
        yield kind


def _read_at(file: BinaryIO, place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)
