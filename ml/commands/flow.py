"""Optical flow for every video of a dataset, kept beside its frames."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from ml.config.experiment import ExperimentConfig
from ml.config.flow import FlowMethod, FlowSpec
from ml.config.schema import Schema, first_problem
from ml.errors import BadConfig
from ml.events import Event
from ml.failure import reason_of
from ml.flow.extract import extract
from ml.flow.shard import parse_shard
from ml.process import Stop
from ml.video.manifest import load_manifest
from ml.words import Words

HELP = "Extract optical flow for every video of a dataset. What is already there is kept; stopped or killed, it goes on where it was."

METHODS: dict[str, Schema] = {schema().kind: schema() for schema in get_args(get_args(FlowMethod)[0])}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", type=Path, metavar="DATASET", help="the dataset's folder")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--method", choices=METHODS, default="tv_l1", help="a method with its default parameters (default: %(default)s)")
    how.add_argument("--spec", type=Path, metavar="FILE", help="a flow spec as JSON, or the config of a run that sees flow")
    parser.add_argument("--processes", type=int, default=0, help="how many at once (default: one a core)")
    parser.add_argument("--shard", default="1/1", metavar="I/N", help="only the I-th of N parts; other machines may do the others")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:
    spec = read_spec(args.spec) if args.spec else FlowSpec(method=METHODS[args.method])
    yield from extract(args.dataset, load_manifest(args.dataset), spec, stop, args.processes, parse_shard(args.shard))


def read_spec(path: Path) -> FlowSpec:
    """A flow spec from its JSON file, or that of a run from its config.

    Raises:
        BadConfig: it is not there, or is no flow spec.
    """
    try:
        text = path.read_bytes()
        return _spec_of_run(text) or FlowSpec.model_validate_json(text)
    except OSError as error:
        raise BadConfig("The flow spec {path} cannot be read: {reason}", "Check the path.", path=path, reason=reason_of(error)) from error
    except ValidationError as error:
        raise BadConfig(
            "{path} is no flow spec: {where}: {problem}",
            "`python -m ml catalogue --json` shows the schema under “flow”.",
            path=path,
            **first_problem(error, Words("the whole file")),
        ) from error


def _spec_of_run(text: bytes) -> FlowSpec | None:
    """None where this is no config, or one that sees no flow."""
    try:
        return ExperimentConfig.model_validate_json(text).data.input.reads_flow
    except ValidationError:
        return None
