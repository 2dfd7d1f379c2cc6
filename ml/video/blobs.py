"""One file of many blobs: stamped with what it depends on, checked on every read, mapped into memory.

    header   magic, version, stamp size, number of blobs, offset of the index, crc of stamp and index
    stamp    JSON: what the blobs depend on; a reader that expects another stamp refuses the file
    blobs    one after the other
    index    per blob: offset, size, crc

The index comes last so that a long video is written in bounded memory.
"""

import json
import mmap
import struct
import zlib
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from ml.errors import BadPack
from ml.process import atomic_path

MAGIC = b"KINOPACK"
VERSION = 1
HEADER = struct.Struct("<8sIIQQI")
INDEX = np.dtype([("offset", "<u8"), ("size", "<u4"), ("crc", "<u4")])
_MAKE_ANEW = "Delete the file; the next import or flow extraction makes it anew."

Stamp = dict[str, Any]


def write_blobs(path: Path, stamp: Stamp, blobs: Iterable[bytes]) -> int:
    """Write a whole file or none; its size in bytes."""
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        return _write(handle, json.dumps(stamp, sort_keys=True).encode(), blobs)


def read_stamp(path: Path) -> Stamp:
    """What the blobs of a file depend on.

    Raises:
        BadPack: not such a file, another version, cut short or damaged.
    """
    with closing(_mapped(path)) as mapped:
        return _checked(path, mapped)[0]


def _write(handle: BinaryIO, stamp: bytes, blobs: Iterable[bytes]) -> int:
    handle.write(bytes(HEADER.size) + stamp)
    rows = bytearray()
    for blob in blobs:
        rows += np.array((handle.tell(), len(blob), zlib.crc32(blob)), INDEX).tobytes()
        handle.write(blob)
    index_offset = handle.tell()
    size = index_offset + handle.write(rows)
    handle.seek(0)
    handle.write(HEADER.pack(MAGIC, VERSION, len(stamp), len(rows) // INDEX.itemsize, index_offset, zlib.crc32(stamp + rows)))
    return size


class BlobFile:
    """Random access to the blobs of one file; any number of processes may read it at once.

    Raises:
        BadPack: not such a file, another version, another stamp, cut short or damaged.
    """

    def __init__(self, path: Path, stamp: Stamp) -> None:
        self.path = path
        self._map = _mapped(path)
        try:
            found, self._index = _checked(path, self._map)
            _compare(path, found, stamp)
        except BadPack:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, number: int) -> bytes:
        if not 0 <= number < len(self):
            raise IndexError(f"{self.path.name} holds 0 to {len(self) - 1}, asked for {number}")
        offset, size, crc = self._index[number].tolist()
        blob = self._map[offset : offset + size]
        if zlib.crc32(blob) != crc:
            raise BadPack(f"{self.path} is damaged at entry {number}", _MAKE_ANEW)
        return blob

    def close(self) -> None:
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _mapped(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise BadPack(f"{path} is not there", "Import the dataset again; what is already there is kept.") from error
    except ValueError as error:
        raise BadPack(f"{path} is empty", _MAKE_ANEW) from error


def _checked(path: Path, mapped: mmap.mmap) -> tuple[Stamp, np.ndarray]:
    if len(mapped) < HEADER.size or mapped[: len(MAGIC)] != MAGIC:
        raise BadPack(f"{path} is no pack", _MAKE_ANEW)
    _, version, stamp_size, count, index_offset, crc = HEADER.unpack(mapped[: HEADER.size])
    if version != VERSION:
        raise BadPack(f"{path} is a pack of version {version}; this program reads version {VERSION}", _MAKE_ANEW)
    whole = index_offset + count * INDEX.itemsize
    if len(mapped) != whole:
        raise BadPack(f"{path} is cut short or spoilt: it has {len(mapped)} bytes of {whole}", _MAKE_ANEW)
    stamp, rows = mapped[HEADER.size : HEADER.size + stamp_size], mapped[index_offset:]
    if zlib.crc32(stamp + rows) != crc:
        raise BadPack(f"{path} is damaged: its checksum does not fit", _MAKE_ANEW)
    return json.loads(stamp), np.frombuffer(rows, INDEX)


def _compare(path: Path, found: Stamp, expected: Stamp) -> None:
    if found != expected:
        has, asked = (json.dumps(stamp, sort_keys=True, ensure_ascii=False) for stamp in (found, expected))
        raise BadPack(
            f"{path} was made with another spec. It has {has}; asked for {asked}",
            "Use the spec the pack has, or make a pack with the other one.",
        )
