"""What can be asked for, as data: the JSON schemas, their defaults and the presets. Needs neither torch nor a dataset."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ml.config.availability import unavailable_methods
from ml.config.evaluation import CROPS, FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import FlowSpec
from ml.config.presets import PRESETS
from ml.config.schema import Schema
from ml.config.studies import STUDIES
from ml.config.weights import IMAGENET, find
from ml.events import Event, Finished, Result
from ml.process import Stop

HELP = "Print every schema (title, help, range and unit of each field), the defaults, and the presets with their sources."

SCHEMAS: dict[str, type[Schema]] = {
    "experiment": ExperimentConfig,
    "flow": FlowSpec,
    "protocol": Protocol,
    "fusion": FusionConfig,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It asks for nothing."""


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    yield Result(catalogue())
    yield Finished()


def catalogue() -> dict[str, Any]:
    """`schemas` and `defaults` by name, `presets` and `studies` by name with their config as JSON, what each number of crops means, why
    this machine cannot run some flow methods, and where it has the ImageNet weights of each backbone (null: nowhere).
    """
    return {
        "schemas": {name: schema.model_json_schema() for name, schema in SCHEMAS.items()},
        "defaults": {name: schema().model_dump(mode="json") for name, schema in SCHEMAS.items()},
        "presets": {name: {**asdict(preset), "config": preset.config.model_dump(mode="json")} for name, preset in PRESETS.items()},
        "studies": {name: {**asdict(preset), "config": preset.config.model_dump(mode="json")} for name, preset in STUDIES.items()},
        "crops": CROPS,
        "unavailable": unavailable_methods(),
        "weights": {name: str(path) if (path := find(name)) else None for name in IMAGENET},
    }
