"""Text → config, with what is wrong said in plain words."""

from typing import Any

from pydantic import ValidationError

from ml.config.experiment import ExperimentConfig
from ml.config.schema import reason
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
        problems = error.errors(include_url=False)
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
    """`training.epochs must be at least 1, got 0`"""
    said = {"field": ".".join(map(str, problem["loc"])) or Words("the config"), "problem": reason(problem)}
    if problem["type"] == "value_error":
        return Words("{field}: {problem}", **said)
    if problem["type"] in ("missing", "extra_forbidden"):
        return Words("{field} {problem}", **said)
    return Words("{field} {problem}, got {given}", **said, given=repr(problem["input"]))
