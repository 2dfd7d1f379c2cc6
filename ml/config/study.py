"""A study: one experiment over a grid of values. Repeating it over splits and seeds is such a grid, and nothing else.

The grid is spanned by axes, each a field of the config with the values it takes. A field is named by its path, `data.input.stack_len`;
the path of a discriminator, `data.input.flow.method.kind`, chooses a variant with its defaults.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self, TypeVar, get_args

from pydantic import Field, JsonValue, TypeAdapter, model_validator
from pydantic.fields import FieldInfo

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.schema import Schema

SPLIT, SEED = "data.split", "training.seed"
REPEATS = (SPLIT, SEED)
"""Fields whose values are not compared with each other: a number is their mean and standard deviation."""

Values = dict[str, JsonValue]
"""By the path of the field."""

Config = TypeVar("Config", bound=Schema)
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


class Axis(Schema):
    """A field of the config and the values it takes."""

    field: str
    values: tuple[JsonValue, ...] = Field(min_length=1)


class StudyConfig(Schema):
    """Streams that are trained, and fused, at every point of the grid. An axis moves the streams that have its field."""

    streams: tuple[ExperimentConfig, ...] = Field(min_length=1)
    fusions: tuple[FusionConfig, ...] = ()
    axes: tuple[Axis, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Every axis has a field of its own that some stream has, and values that this stream may take."""
        if len({axis.field for axis in self.axes}) < len(self.axes):
            raise ValueError("a field may have one axis only")
        for axis in self.axes:
            if axis.values != read_values(self.streams, axis.field, axis.values):
                raise ValueError(f"the values of {axis.field} must all differ, and be spelled as its config spells them")
        return self

    def axis(self, field: str) -> Axis | None:
        return next((axis for axis in self.axes if axis.field == field), None)

    @property
    def divisions(self) -> tuple[int, ...]:
        """Into how many folds the SVMs of its fusions want the training groups divided."""
        return tuple(sorted({fusion.fold_runs for fusion in self.fusions} - {0}))

    @property
    def varied(self) -> tuple[Axis, ...]:
        """The axes whose values are compared."""
        return tuple(axis for axis in self.axes if axis.field not in REPEATS)

    def extended(self, field: str, values: Iterable[JsonValue]) -> Self:
        """With more values on the axis of `field`; where there is none yet, it begins with the value that holds now."""
        axis = self.axis(field) or Axis(field=field, values=(next(value_at(one, field) for one in self.streams if has_field(one, field)),))
        longer = axis.replace(values=_distinct((*axis.values, *values)))
        return self.replace(axes=(*(one for one in self.axes if one.field != field), longer))


@dataclass(frozen=True)
class Trial:
    """One point of the grid: the value of every axis, and each stream as it is there."""

    values: Values
    streams: tuple[ExperimentConfig, ...]

    def values_of(self, stream: int) -> Values:
        """Those that this stream has."""
        return {field: value for field, value in self.values.items() if has_field(self.streams[stream], field)}

    @property
    def repeat(self) -> Values:
        """Its split and seed, as far as they are axes."""
        return {field: value for field, value in self.values.items() if field in REPEATS}

    @property
    def settings(self) -> Values:
        """What it is compared for."""
        return {field: value for field, value in self.values.items() if field not in REPEATS}

    def folds(self, num_folds: int) -> tuple[tuple[ExperimentConfig, ...], ...]:
        """The streams without one fold of the training groups, fold by fold."""
        return tuple(zip(*(stream.fold_runs(num_folds) for stream in self.streams), strict=True))


def trials(study: StudyConfig) -> list[Trial]:
    """Every point of the grid; the last axis changes fastest."""
    grid = product(*(axis.values for axis in study.axes))
    points = [dict(zip((axis.field for axis in study.axes), point, strict=True)) for point in grid]
    return [Trial(values, tuple(_at(stream, values) for stream in study.streams)) for values in points]


def configs_of(study: StudyConfig) -> dict[str, ExperimentConfig]:
    """The configs of all its runs by their id, each once: an axis that does not move a stream has one run for all its points."""
    found = {config.spec_id(): config for trial in trials(study) for config in trial.streams}
    folds = (config for trial in trials(study) for count in study.divisions for fold in trial.folds(count) for config in fold)
    return found | {config.spec_id(): config for config in folds}


def _at(config: ExperimentConfig, values: Values) -> ExperimentConfig:
    """There, with the splits of further datasets by name."""
    for field, value in values.items():
        config = with_value(config, field, value) if has_field(config, field) else config
    return config.replace(data=config.data.replace(also=config.data.others))


def read_values(configs: Iterable[Schema], field: str, given: Iterable[JsonValue]) -> tuple[JsonValue, ...]:
    """The values as the first config that has the field spells them: `"5"` becomes 5; each once.

    Raises:
        ValidationError: a value that the field does not take.
        ValueError: no config has such a field.
    """
    config = next((one for one in configs if has_field(one, field)), None)
    if config is None:
        raise ValueError(f"no stream has a field {field}")
    return _distinct(value_at(with_value(config, field, value), field) for value in given)


def _distinct(values: Iterable[JsonValue]) -> tuple[JsonValue, ...]:
    """In their order; lists have no hash, and axes are short."""
    found: list[JsonValue] = []
    for value in values:
        if value not in found:
            found.append(value)
    return tuple(found)


def has_field(config: Schema, field: str) -> bool:
    name, _, rest = field.partition(".")
    if name not in type(config).model_fields:
        return False
    inner = getattr(config, name)
    return not isinstance(inner, Schema) if not rest else isinstance(inner, Schema) and has_field(inner, rest)


def value_at(config: Schema, field: str) -> JsonValue:
    """The value of a field as JSON has it: a tuple is a list."""
    name, _, rest = field.partition(".")
    inner = getattr(config, name)
    return value_at(inner, rest) if rest else _JSON.validate_python(config.model_dump(mode="json", include={name})[name])


def with_value(config: Config, field: str, value: JsonValue) -> Config:
    """A copy with another value there.

    Raises:
        ValidationError: the field does not take it.
    """
    name, _, rest = field.partition(".")
    inner = getattr(config, name)
    if not rest:
        return config.replace(**{name: value})
    if rest != type(config).model_fields[name].discriminator:
        return config.replace(**{name: with_value(inner, rest, value)})
    return config if getattr(inner, rest) == value else config.replace(**{name: {rest: value}})


@dataclass(frozen=True)
class Knob:
    """A field that can be an axis: its path, the titles on the way to it, and its declaration."""

    field: str
    titles: tuple[str, ...]
    info: FieldInfo

    @property
    def holds_schemas(self) -> bool:
        """A list of configs: nothing that a user types."""
        return (
            any(isinstance(part, type) and issubclass(part, Schema) for part in get_args(self.info.annotation))
            and not self.info.discriminator
        )


def knobs(config: Schema, path: str = "", titles: tuple[str, ...] = ()) -> Iterator[Knob]:
    """Every field of the config as it is, variants as they are chosen; and the choices themselves."""
    for name, info in type(config).model_fields.items():
        inner, key, title = getattr(config, name), f"{path}{name}", info.title or ""
        if isinstance(inner, Schema):
            if info.discriminator:
                yield Knob(f"{key}.{info.discriminator}", (*titles, title), info)
            yield from knobs(inner, f"{key}.", (*titles, title))
        elif title:
            yield Knob(key, (*titles, title), info)


def facts(*configs: Schema) -> Values:
    """Every field with its value, of a list of configs their number; of several configs those on which all that have the field agree."""
    found: Values = {}
    disputed = set()
    for one, knob in ((config, knob) for config in configs for knob in knobs(config)):
        value = value_at(one, knob.field)
        value = len(value) if knob.holds_schemas and isinstance(value, list) else value
        if found.setdefault(knob.field, value) != value:
            disputed.add(knob.field)
    return {field: value for field, value in found.items() if field not in disputed}


def fused_facts(streams: Sequence[ExperimentConfig], fusion: FusionConfig) -> Values:
    """What a published row may say of a fusion: what each stream has, as `flow:data.also`, what all agree on, and its own fields."""
    each = {f"{config.data.input.modality}:{field}": value for config in streams for field, value in facts(config).items()}
    own = {f"fusion.{knob.field}": value_at(fusion, knob.field) for knob in knobs(fusion)}
    return {**each, **facts(*streams), "data.input.modality": None, **own}
