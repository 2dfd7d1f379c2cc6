"""A study as the configs of its runs: what the site queues, for a shell loop."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ml.config.experiment import ExperimentConfig
from ml.config.schema import first_problem
from ml.config.study import StudyConfig, Trial, configs_of, trials
from ml.errors import BadConfig
from ml.events import Event, Finished, Result
from ml.process import Stop, atomic_path
from ml.words import Words

HELP = (
    "Write the config of every run of a study: its streams at every point of its grid, each once, and those without a fold that SVMs of "
    "its fusions are fitted on. The catalogue lists studies of papers."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY.json", help="streams, and axes: fields with their values")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the configs, named by what they are")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    study = _read(args.study)
    points = [_point(trial, study.divisions) for trial in trials(study)]
    for config in configs_of(study).values():
        with atomic_path(args.out / _file(config)) as temporary:
            temporary.write_text(config.model_dump_json(indent=1), encoding="utf-8")
    yield Result({"points": points})
    yield Finished()


def _point(trial: Trial, divisions: Sequence[int]) -> dict[str, Any]:
    """`configs` has a file a stream; `folds`, by their number, a file a stream for each fold that an SVM is fitted on."""
    folds = {str(count): [[_file(stream) for stream in fold] for fold in trial.folds(count)] for count in divisions}
    return {"values": trial.values, "configs": [_file(stream) for stream in trial.streams], **({"folds": folds} if folds else {})}


def _file(config: ExperimentConfig) -> str:
    return f"{config.spec_id()}.json"


def _read(path: Path) -> StudyConfig:
    try:
        return StudyConfig.model_validate_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadConfig("{path} is not a file", "Give the path of a study in JSON.", path=path) from error
    except ValidationError as error:
        advice = "`python -m ml catalogue --json` has studies to start from."
        raise BadConfig("{path}: {where}: {problem}", advice, path=path, **first_problem(error, Words("the study"))) from error
