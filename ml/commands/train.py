"""Train a run from a config, or go on with it."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from ml.config.reading import read_experiment
from ml.errors import BadConfig
from ml.events import Event
from ml.process import Stop
from ml.ranks import spread

HELP = "Train the run that CONFIG.json declares. The same command again goes on from the last checkpoint."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG.json", help="an experiment config; the catalogue lists presets")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="folder of the run")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:
    try:
        text = args.config.read_bytes()
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadConfig("{path} is not a file", "Give the path of a config in JSON.", path=args.config) from error
    config = read_experiment(text, str(args.config))
    if config.training.devices > 1 and "RANK" not in os.environ:
        yield from spread(["train", str(args.config), "--out", str(args.out)], config.training.devices, stop)
        return

    from ml.experiment import train

    yield from train(config, args.out, stop)
