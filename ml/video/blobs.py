"""One file of many blobs: stamped with what it depends on, checked on every read, read at any place by any number of processes.

    header   magic, version, stamp size, number of blobs, offset of the index, crc of stamp and index
    stamp    JSON: what the blobs depend on, and what they were made with
    blobs    one after the other
    index    per blob: offset, size, crc

A reader that expects another stamp refuses the file; what it was made with is told and not compared.
The index comes last so that a long video is written in bounded memory. Reading is `pread`, as fast as a memory map and safe where that
is not: a file that is cut short, or replaced on another machine's NFS mount, is an error of this file and no SIGBUS to the process.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from ml.config.compare import side_by_side
from ml.errors import BadPack
from ml.failure import reason_of
from ml.process import atomic_path

MAGIC = b"KINOPACK"
VERSION = 1
HEADER = struct.Struct("<8sIIQQI")
INDEX = np.dtype([("offset", "<u8"), ("size", "<u4"), ("crc", "<u4")])
MADE_WITH = "made_with"
_MAKE_ANEW = "Delete the file; the next import or flow extraction makes it anew."

Stamp = dict[str, Any]


def write_blobs(path: Path, stamp: Stamp, blobs: Iterable[bytes], made_with: Stamp | None = None) -> int:
    """Write a whole file or none; its size in bytes."""
    content = json.dumps({**stamp, MADE_WITH: made_with or {}}, sort_keys=True).encode()
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        return _write(handle, content, blobs)


def read_stamp(path: Path) -> Stamp:
    """What the blobs of a file depend on, and under `made_with` what made them.

    Raises:
        BadPack: not such a file, another version, cut short or damaged.
    """
    with _opened(path) as handle:
        return _checked(path, handle)[0]


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
    """Random access to the blobs of one file.

    Raises:
        BadPack: not such a file, another version, another stamp, cut short or damaged.
    """

    def __init__(self, path: Path, stamp: Stamp) -> None:
        self.path = path
        self._handle = _opened(path)
        try:
            found, self._index = _checked(path, self._handle)
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
        blob = _read(self.path, self._handle, offset, size)
        if zlib.crc32(blob) != crc:
            raise BadPack("{path} is damaged at entry {number}", _MAKE_ANEW, path=self.path, number=number)
        return blob

    def close(self) -> None:
        self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise BadPack("{path} is not there", "Import the dataset again; what is already there is kept.", path=path) from error


def _read(path: Path, handle: BinaryIO, offset: int, size: int) -> bytes:
    try:
        data = os.pread(handle.fileno(), size, offset)
    except OSError as error:
        raise BadPack(
            "{path} cannot be read: {reason}",
            "Try again; if that does not help, check the disk it lies on.",
            path=path,
            reason=reason_of(error),
        ) from error
    if len(data) != size:
        raise BadPack("{path} is cut short: it ends before byte {byte}", _MAKE_ANEW, path=path, byte=offset + size)
    return data


def _checked(path: Path, handle: BinaryIO) -> tuple[Stamp, np.ndarray]:
    size = os.fstat(handle.fileno()).st_size
    header = _read(path, handle, 0, min(size, HEADER.size))
    if len(header) < HEADER.size or not header.startswith(MAGIC):
        raise BadPack("{path} is no pack", _MAKE_ANEW, path=path)
    _, version, stamp_size, count, index_offset, crc = HEADER.unpack(header)
    if version != VERSION:
        raise BadPack(
            "{path} is a pack of version {version}; this program reads version {expected}",
            _MAKE_ANEW,
            path=path,
            version=version,
            expected=VERSION,
        )
    whole = index_offset + count * INDEX.itemsize
    if size != whole:
        raise BadPack("{path} is cut short or spoilt: it has {size} bytes of {whole}", _MAKE_ANEW, path=path, size=size, whole=whole)
    stamp, rows = _read(path, handle, HEADER.size, stamp_size), _read(path, handle, index_offset, size - index_offset)
    if zlib.crc32(stamp + rows) != crc:
        raise BadPack("{path} is damaged: its checksum does not fit", _MAKE_ANEW, path=path)
    return json.loads(stamp), np.frombuffer(rows, INDEX)


def _compare(path: Path, found: Stamp, expected: Stamp) -> None:
    found = {key: value for key, value in found.items() if key != MADE_WITH}
    if found != expected:
        raise BadPack(
            "{path} was made with another spec",
            "Use the spec the pack has, or make a pack with the other one.",
            side_by_side(found, expected),
            path=path,
        )
