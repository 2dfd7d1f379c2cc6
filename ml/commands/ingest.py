"""Import videos into a dataset folder."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ml.commands.inspect import add_plan_arguments
from ml.config.data import FrameSpec
from ml.events import Event
from ml.process import Stop
from ml.video.ingest import Ingest, Options
from ml.video.layouts import recognise
from ml.video.sources import open_sources

HELP = "Import videos: copy, check, decode once; write frame packs, proxies and the manifest. Run again after a stop: it goes on."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DATASET", help="folder of the dataset; its manifest is replaced")
    parser.add_argument("--store", type=Path, metavar="DIR", help="media store, may be shared by datasets (DATASET/media)")
    parser.add_argument("--name", default="", help="name of the dataset (that of the folder)")
    default = FrameSpec().short_side
    parser.add_argument("--short-side", type=short_side, default=default, help=f"short side of the stored frames in pixels ({default})")


def short_side(text: str) -> int:
    """A side that a frame spec allows."""
    try:
        return FrameSpec(short_side=int(text)).short_side
    except ValidationError as error:
        raise argparse.ArgumentTypeError(error.errors()[0]["msg"]) from error


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:
    options = Options(
        name=args.name or args.out.resolve().name,
        store=args.store or args.out / "media",
        frame_spec=FrameSpec(short_side=args.short_side),
        test_fraction=args.test_fraction,
        seed=args.seed,
    )
    with open_sources(args.sources) as members:
        yield from Ingest(recognise(members, args.label, args.group), args.out, options).run(stop)
