"""Fields and values of a grid in words."""

from collections.abc import Sequence

from pydantic import JsonValue

from ml.config.schema import Schema
from ml.config.study import Knob, StudyConfig, Values, knobs
from webapp.experiments.config_rows import readable
from webapp.punctuation import listed
from webapp.schema_fields import translated


def knobs_of(configs: Sequence[Schema]) -> dict[str, Knob]:
    """Every field that one of the configs has, by its path."""
    return {knob.field: knob for config in configs for knob in knobs(config)}


def title_of(grid: StudyConfig, field: str) -> str:
    """The field's own title; its path where no config has it any more."""
    known = knobs_of(grid.streams).get(field)
    return str(translated(known.titles[-1])) if known else field


def settings_words(grid: StudyConfig, values: Values) -> str:
    """`Dropout 0.5, Split 1`"""
    return listed(f"{title_of(grid, field)} {readable(value)}" for field, value in values.items())


def typed(values: Sequence[JsonValue]) -> str:
    """As a user would type them: `0.5, 0.9`; lists with semicolons between them."""
    if any(isinstance(value, list) for value in values):
        return "; ".join(", ".join(map(str, value)) if isinstance(value, list) else str(value) for value in values)
    return ", ".join(map(str, values))
