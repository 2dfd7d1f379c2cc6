"""Arrays in one `.npz` file, with a JSON object that says where they come from."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.errors import BadScores
from ml.process import atomic_path
from ml.words import Words, WordsDecoder, packed

Arrays = dict[str, NDArray[Any]]


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], about: dict[str, Any], compressed: bool = True) -> None:
    """Write the whole file or nothing."""
    save = np.savez_compressed if compressed else np.savez
    stamp = np.array(json.dumps(packed(about), ensure_ascii=False))
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        save(handle, allow_pickle=False, **arrays, about=stamp)


def read_arrays(path: Path, what: Words, advice: str) -> Arrays:
    """All arrays of the file, `about` among them; nothing in it is ever unpickled.

    Raises:
        BadScores: it is missing, damaged, or no such file; `what` it should have been.
    """
    try:
        with path.open("rb") as handle, zipfile.ZipFile(handle) as archive:
            damaged = archive.testzip()
            if damaged:
                raise BadScores("{path} is damaged: {damaged} does not match its checksum", advice, path=path, damaged=damaged)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError as error:
        raise BadScores("There is no {what} {path}", "Check the path, or write it with `evaluate`.", what=what, path=path) from error
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError, IsADirectoryError) as error:
        raise BadScores("{path} is no {what}, or it is damaged: {problem}", advice, path=path, what=what, problem=error) from error


def about_of(arrays: Arrays) -> dict[str, Any]:
    """The JSON object among them."""
    about: dict[str, Any] = json.loads(str(arrays["about"]), cls=WordsDecoder)
    return about
