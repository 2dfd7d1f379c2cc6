"""Do these weights fit this backbone?"""

import argparse
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import get_args

from ml.config.models import Backbone
from ml.config.weights import IMAGENET, weights_folder
from ml.events import Event, Finished, Result
from ml.process import Stop, atomic_path
from ml.video.sources import Source

HELP = (
    "Compare the names and shapes in a file of ImageNet weights with those of a backbone; keep the file if all of them fit. "
    "Without a file: fetch it from torchvision or timm, where the network allows, to be kept there or in torch's cache."
)
FILE_HELP = "a state dict, of safetensors or torch.save; PATH::NAME says what a file is called when it lies under another name"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Source.parse, nargs="?", metavar="FILE", help=FILE_HELP)
    parser.add_argument("--backbone", required=True, choices=get_args(Backbone), help="the network they are for")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="copy the file there, under its publisher's name, if it fits")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.backbones import BACKBONES
    from ml.backbones.fetch import fetch
    from ml.backbones.normalization import RGB_CHANNELS
    from ml.backbones.weights import compare

    recipe = BACKBONES[args.backbone]
    if args.file is None:
        folder = args.keep or weights_folder()
        yield from fetch(args.backbone, folder)
        state = recipe.weights(folder / IMAGENET[args.backbone].file)
    else:
        state = recipe.weights(args.file.path, args.file.name)
    comparison = compare(recipe.build(RGB_CHANNELS, 0.5), state)
    if args.file and comparison.fits and args.keep:
        with atomic_path(args.keep / IMAGENET[args.backbone].file) as temporary:
            shutil.copyfile(args.file.path, temporary)
    yield Result({**asdict(comparison), "fits": comparison.fits})
    yield Finished()
