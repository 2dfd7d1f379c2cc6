"""The classes of one video."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ml.commands.evaluate import add_protocol
from ml.evaluation.protocol import parse_protocol
from ml.events import Event, Finished, Result, Started
from ml.process import Stop
from ml.video.sources import Source

HELP = "The likeliest classes of a video by a run, or by a fusion (and what each of its streams says). Flow is extracted on the fly."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="RUN|F.npz", help="folder of a trained run, or the score file of a fusion")
    parser.add_argument("video", type=Source.parse, metavar="VIDEO", help="any video that can be imported; PATH::NAME as in inspect")
    parser.add_argument("--top", type=one_or_more, default=5, metavar="K", help="how many classes to name (default: 5)")
    parser.add_argument("--runs", nargs="+", type=Path, default=(), metavar="RUN", help="the fusion's runs in order, if they have moved")
    parser.add_argument(
        "--dataset", default="", metavar="NAME|DIR", help="whose classes, where the run learnt several (default: its own dataset's)"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for a copy that any browser plays, proxy.mp4, and poster.jpg")
    add_protocol(parser)


def one_or_more(text: str) -> int:
    """A number of classes."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not one or more")
    return number


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - over in seconds
    from ml.prediction.predictor import predict, write_playable
    from ml.prediction.source import load_source

    yield Started("predict")
    protocol = parse_protocol(args.protocol) if args.protocol else None
    source = load_source(args.source, args.runs, args.dataset)
    found = yield from predict(source, args.video.path, protocol, args.top, args.video.name)
    if args.out is not None:
        write_playable(args.video.path, args.out, args.video.name)
    yield Result(found)
    yield Finished()
