"""Text → config, with what is wrong said in plain words."""

from typing import Any

from pydantic import ValidationError

from ml.config.experiment import ExperimentConfig
from ml.errors import BadConfig
from ml.words import Words, joined

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
            raise BadConfig(
                "{source} is no JSON: {problem}",
                "Mend the file and start again.",
                source=source,
                problem=problem["msg"].removeprefix("Invalid JSON: "),
            )
        if problem["loc"] == ("version",):
            raise BadConfig(
                "{source} is a config of version {version}; this program reads version {expected}",
                "Make it anew with this program, or use the program of that version.",
                source=source,
                version=repr(problem["input"]),
                expected=VERSION,
            )
    raise BadConfig(
        "{source}: {problems}",
        "`python -m ml catalogue --json` lists every field with its range.",
        source=source,
        problems=joined(map(_in_words, problems)),
    )


def completed(stored: dict[str, Any]) -> dict[str, Any]:
    """A config's JSON as this program writes it: a field that is newer than it has its default. What is no config stays as it is."""
    try:
        return ExperimentConfig.model_validate(stored).model_dump(mode="json")
    except ValidationError:
        return stored


def _in_words(problem: Any) -> Words:
    """`training.epochs must be greater than or equal to 1, got 0`"""
    field = ".".join(map(str, problem["loc"])) or Words("the config")
    if problem["type"] == "extra_forbidden":
        return Words("{field} is not a known field", field=field)
    if problem["type"] == "missing":
        return Words("{field} is missing", field=field)
    if problem["type"] == "value_error":
        return Words("{field}: {problem}", field=field, problem=Words(problem["msg"].removeprefix("Value error, ")))
    expected = problem["msg"].replace("Input should", "must")
    return Words("{field} {expected}, got {given}", field=field, expected=expected, given=repr(problem["input"]))
