"""ImageNet weights from where torchvision and timm publish them: on request, on machines that may. Training never asks the network."""

import re
from pathlib import Path

import timm
import torch
from torchvision.models import get_model_weights, list_models

from ml.config.models import Backbone
from ml.config.weights import IMAGENET, weights_folder
from ml.errors import MissingWeights


def fetch(name: Backbone) -> Path:
    """The file that the backbone wants, in torch's cache: from its publisher, unless it is there. Its name holds what it must hash to.

    Raises:
        MissingWeights: nobody offers it, the network does not allow it, or what came is damaged.
    """
    path = weights_folder() / IMAGENET[name].file
    if path.exists():
        return path
    address = address_of(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    expected = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        torch.hub.download_url_to_file(address, str(path), hash_prefix=expected[1] if expected else None, progress=False)
    except (OSError, RuntimeError) as error:  # RuntimeError: another hash
        raise MissingWeights(
            "The weights of {name} could not be fetched from {address}: {problem}",
            "Fetch them on a machine that may, and upload them.",
            name=name,
            address=address,
            problem=error,
        ) from error
    return path


def address_of(name: Backbone) -> str:
    """As torchvision or timm has it."""
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
