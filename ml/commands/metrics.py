"""The numbers behind a score file: instant, without a GPU."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ml.events import Event, Finished, Result
from ml.process import Stop

HELP = "Top-1, top-5, mean class accuracy, mAP, per-class recall and the confusion matrix of a score file, with its protocol."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scores", type=Path, metavar="F.npz", help="a score file of `evaluate` or `fuse`")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.evaluation.metrics import metrics
    from ml.evaluation.scores import Scores

    yield Result(metrics(Scores.load(args.scores)))
    yield Finished()
