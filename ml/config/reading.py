"""Text → config, with what is wrong said in plain words."""

from typing import Any

from pydantic import ValidationError

from ml.config.experiment import ExperimentConfig
from ml.errors import BadConfig

VERSION = 1


def read_experiment(text: str | bytes, source: str) -> ExperimentConfig:
    """The config in `text`; `source` names it in messages.

    Raises:
        BadConfig: no JSON, another version, unknown keys, or values out of range; every such field is named.
    """
    try:
        return ExperimentConfig.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
    for problem in problems:
        if problem["type"] == "json_invalid":
            raise BadConfig(f"{source} is no JSON: {problem['msg'].removeprefix('Invalid JSON: ')}", "Mend the file and start again.")
        if problem["loc"] == ("version",):
            raise BadConfig(
                f"{source} is a config of version {problem['input']!r}; this program reads version {VERSION}",
                "Make it anew with this program, or use the program of that version.",
            )
    raise BadConfig(f"{source}: {'; '.join(map(_in_words, problems))}", "`python -m ml catalogue --json` lists every field with its range.")


def completed(stored: dict[str, Any]) -> dict[str, Any]:
    """A config's JSON as this program writes it: a field that is newer than it has its default. What is no config stays as it is."""
    try:
        return ExperimentConfig.model_validate(stored).model_dump(mode="json")
    except ValidationError:
        return stored


def _in_words(problem: Any) -> str:
    """`training.epochs must be greater than or equal to 1, got 0`"""
    field = ".".join(map(str, problem["loc"])) or "the config"
    if problem["type"] == "extra_forbidden":
        return f"{field} is not a known field"
    if problem["type"] == "missing":
        return f"{field} is missing"
    if problem["type"] == "value_error":
        return f"{field}: {problem['msg'].removeprefix('Value error, ')}"
    return f"{field} {problem['msg'].replace('Input should', 'must')}, got {problem['input']!r}"
