"""A study as the configs of its runs: what the site queues, for a shell loop."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ml.config.study import StudyConfig, trials
from ml.errors import BadConfig
from ml.events import Event, Finished, Result
from ml.process import Stop, atomic_path

HELP = "Write the config of every run of a study: its streams at every point of its grid, each once. The catalogue lists studies of papers."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("study", type=Path, metavar="STUDY.json", help="streams, and axes: fields with their values")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the configs, named by what they are")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    study = _read(args.study)
    points = [{"values": trial.values, "configs": [f"{config.spec_id()}.json" for config in trial.streams]} for trial in trials(study)]
    for config in {config.spec_id(): config for trial in trials(study) for config in trial.streams}.values():
        with atomic_path(args.out / f"{config.spec_id()}.json") as temporary:
            temporary.write_text(config.model_dump_json(indent=1), encoding="utf-8")
    yield Result({"points": points})
    yield Finished()


def _read(path: Path) -> StudyConfig:
    try:
        return StudyConfig.model_validate_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadConfig(f"{path} is not a file", "Give the path of a study in JSON.") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the study"
        raise BadConfig(f"{path}: {where}: {problem['msg']}", "`python -m ml catalogue --json` has studies to start from.") from error
