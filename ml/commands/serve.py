"""Warm predictions."""

import argparse
import sys
from collections.abc import Iterator

from ml.events import Event, Started
from ml.process import Stop

HELP = """Answer prediction requests: one JSON object a line on stdin, such as {"id": 1, "source": "RUN", "video": "a.mp4", "out": "DIR"};
each answer is a Result and Finished with the id, or a Failed event alone. Ends with its input."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It is told everything in its requests."""


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.prediction.serve import lines_of, serve

    yield Started("serve")
    yield from serve(lines_of(sys.stdin.fileno(), stop), stop)
