"""The first layer of a run as a picture."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ml.events import Event, Finished, Result
from ml.process import Stop

HELP = "Draw the first-layer filters of a trained run: filters.png and filters.json. Training writes them by itself."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a trained run")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the picture; the run's own unless given")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.evaluation.filters import write_filters
    from ml.trained import load_run

    yield Result(asdict(write_filters(load_run(args.run, "cpu").model, args.out or args.run)))
    yield Finished()
