"""ImageNet weights from where torchvision and timm publish them: on request, on machines that may. Training never asks the network."""

import hashlib
import re
import ssl
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import timm
from torchvision.models import get_model_weights, list_models

from ml.config.models import Backbone
from ml.config.weights import IMAGENET
from ml.errors import MissingWeights
from ml.events import Progress
from ml.process import atomic_path

CHUNK = 2**20
MEGABYTE = 10**6
PATIENCE_SECONDS = 30.0
"""How long a publisher may say nothing."""

NETWORK = (URLError, ssl.SSLError, HTTPException, ConnectionError, TimeoutError)
HASH = re.compile(r"-([0-9a-f]{8,})\.")
"""In the name of a published file: the first digits of its SHA-256."""


def fetch(name: Backbone, folder: Path) -> Iterator[Progress]:
    """Put the file that the backbone wants into `folder`, from its publisher; nothing to do if it is there.

    Raises:
        MissingWeights: nobody offers it, the network does not allow it, or what came is damaged.
    """
    path = folder / IMAGENET[name].file
    if path.exists():
        return
    address = address_of(name)
    with atomic_path(path) as temporary:
        try:
            yield from _download(address, temporary)
        except NETWORK as error:
            raise MissingWeights(
                "The weights of {name} could not be fetched from {address}: {problem}",
                "Fetch them on a machine that may, and upload them on the page “Weights”.",
                name=name,
                address=address,
                problem=error.reason if isinstance(error, URLError) else error,
            ) from error
        _check(temporary, path.name, address)


def _download(address: str, path: Path) -> Iterator[Progress]:
    with urlopen(address, timeout=PATIENCE_SECONDS) as answer, path.open("wb") as file:  # noqa: S310 - of torchvision or timm
        total, done = int(answer.headers.get("Content-Length", 0)), 0
        while chunk := answer.read(CHUNK):
            done += file.write(chunk)
            yield Progress(done // MEGABYTE, total // MEGABYTE, "MB")


def _check(path: Path, name: str, address: str) -> None:
    expected = HASH.search(name)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected and not found.startswith(expected[1]):
        raise MissingWeights("What came from {address} is damaged", "Fetch it once more, or upload the file.", address=address)


def address_of(name: Backbone) -> str:
    """As torchvision or timm has it.

    Raises:
        MissingWeights: neither does.
    """
    published = [weights.url for weights in get_model_weights(name)] if name in list_models() else []
    known = timm.get_pretrained_cfg(name, allow_unregistered=True)
    offered: list[str] = [*published, *([known.url] if known and isinstance(known.url, str) else [])]
    wanted = IMAGENET[name]
    found = next((address for address in offered if address.endswith(f"/{wanted.file}")), None)
    if found is None:
        raise MissingWeights(
            "Neither torchvision nor timm offers {wanted}",
            "Fetch it from its publisher ({publisher}), and upload it.",
            wanted=wanted.file,
            publisher=wanted.publisher,
        )
    return found
