"""The tensors in somebody's file, whatever wrote it; and what is wrong with a file that gives none, in a sentence."""

import pickle
import re
import tarfile
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ml.errors import MissingWeights

State = dict[str, Tensor]

WRAPPERS = ("state_dict", "model_state_dict", "model")
"""Under which training scripts keep the state dict, beside the optimizer's and the epoch."""

PREFIXES = ("module.", "_orig_mod.", "model.")
"""What DataParallel, torch.compile and Lightning put before every name."""

BEFORE_1_6 = re.compile(rb"\x80.\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19\.", re.DOTALL)
"""How the files of torch before 1.6 begin: its magic number, pickled."""

HEAD_BYTES = 16

UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, LookupError, AttributeError, ValueError, TypeError)
"""What unpickling damaged bytes raises, by the documentation of pickle and as it was tried."""

TENSORS_ALONE = "Save its tensors alone where it was made, torch.save(net.state_dict(), FILE), and bring that file."
ANOTHER_FILE = "Choose a .pth or .safetensors file that holds the state dict of a network."
ONCE_MORE = "Fetch the file again from where it was published."


def read_state(path: Path, called: str = "") -> State:
    """The state dict in a file of safetensors or of torch; `called` is its name for whoever brought it.

    What training scripts wrap it in is taken off: `WRAPPERS`, and `PREFIXES` before each name.

    Raises:
        MissingWeights: the file holds none, is damaged, or would have to run code to give it.
    """
    name = called or path.name
    content = _safetensors(path, name) if _is_safetensors(path) else _torch(path, name)
    state = _unwrapped(content)
    if not state or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise MissingWeights("{file} holds no state dict: names, each with a tensor", TENSORS_ALONE, file=name)
    return state


def _is_safetensors(path: Path) -> bool:
    """Such a file begins with eight bytes of length and a JSON object."""
    return _head(path)[8:9] == b"{"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _safetensors(path: Path, name: str) -> State:
    try:
        return load_file(path)
    except SafetensorError as error:
        raise MissingWeights("{file} is damaged or no file of safetensors: {problem}", ONCE_MORE, file=name, problem=error) from error


def _torch(path: Path, name: str) -> object:
    """What torch.save wrote, read without running anything; torch's own words are not passed on: they tell how to run it."""
    _check_torch_wrote(path, name)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        foreign = re.search(r"GLOBAL (\S+) was not an allowed global", str(error))
        if foreign is None:
            raise MissingWeights("{file} is damaged, or cut off", ONCE_MORE, file=name) from error
        raise MissingWeights(
            "{file} holds more than tensors ({kind}): whoever opens it runs what it says, so it is not opened",
            TENSORS_ALONE,
            file=name,
            kind=foreign[1],
        ) from error


def _check_torch_wrote(path: Path, name: str) -> None:
    """Raises: MissingWeights: the file is of another kind, and which, as far as its form tells."""
    head = _head(path)
    if not head:
        raise MissingWeights("{file} is empty", ANOTHER_FILE, file=name)
    if BEFORE_1_6.match(head):
        return
    if head.startswith(b"PK"):
        _check_members(path, name)
    elif tarfile.is_tarfile(path):
        raise MissingWeights("{file} is a tar, as only torch before 0.1.10 wrote its checkpoints", TENSORS_ALONE, file=name)
    elif head.startswith(b"\x80"):
        raise MissingWeights(
            "{file} is a pickle that torch.save did not write: it could run code, so it is not opened", TENSORS_ALONE, file=name
        )
    else:
        raise MissingWeights("{file} is no file of weights: neither torch nor safetensors wrote it", ANOTHER_FILE, file=name)


def _check_members(path: Path, name: str) -> None:
    """Since 1.6 torch writes a zip: FOLDER/data.pkl and the tensors beside it; TorchScript has its program there too."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.partition("/")[2] for member in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise MissingWeights("{file} is damaged, or cut off", ONCE_MORE, file=name) from error
    if "data.pkl" not in members:
        raise MissingWeights("{file} is a zip, but no checkpoint of torch", ANOTHER_FILE, file=name)
    if "constants.pkl" in members:
        raise MissingWeights("{file} is a program of TorchScript: whoever opens it runs it, so it is not opened", TENSORS_ALONE, file=name)


def _unwrapped(content: object) -> State:
    """Empty where it is no dict."""
    if not isinstance(content, dict):
        return {}
    state = next((content[key] for key in WRAPPERS if isinstance(content.get(key), dict)), content)
    names = {key: str(key) for key in state}
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in names.values()):
            names = {key: name.removeprefix(prefix) for key, name in names.items()}
    return {names[key]: tensor for key, tensor in state.items()}
