"""A config as a table: every knob in words, section by section, beside another config's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic.fields import FieldInfo

from ml.config.experiment import ExperimentConfig, Preset
from ml.config.presets import PRESETS
from ml.config.schema import Schema
from webapp.choices import name_of
from webapp.schema_fields import translated

TAGS = ("modality", "kind")
NOTHING = "–"
"""What stands where a knob is off, empty, or not there at all."""


@dataclass(frozen=True)
class ConfigRow:
    """A knob in words; `before` is the other config's value where that differs, None where it has no such knob."""

    section: str
    title: Any
    value: Any
    unit: Any = ""
    help: Any = ""
    before: Any = None
    has_changed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.section, str(self.title)


@dataclass(frozen=True)
class Difference:
    """A knob that is not the same in all configs, with its value in each; None where a config has no such knob."""

    row: ConfigRow
    values: tuple[Any, ...]


def config_rows(config: Schema, before: Schema | None = None) -> list[ConfigRow]:
    """Every knob, section by section, beside the other config's where there is one."""
    rows = list(_rows(config, ""))
    if before is None:
        return rows
    known = {row.key: row.value for row in _rows(before, "")}
    return [replace(row, before=known.get(row.key), has_changed=known.get(row.key) != row.value) for row in rows]


def differences(configs: Sequence[Schema]) -> list[Difference]:
    """Every knob that reads differently in some configs, section by section, each in the order of the first config that has it."""
    tables = [{row.key: row for row in _rows(config, "")} for config in configs]
    rows = {key: row for table in reversed(tables) for key, row in table.items()}
    keys = list(dict.fromkeys(key for table in tables for key in table))
    sections = list(dict.fromkeys(section for section, _title in keys))
    keys.sort(key=lambda key: sections.index(key[0]))
    found = (Difference(rows[key], tuple(table[key].value if key in table else None for table in tables)) for key in keys)
    return [one for one in found if len({NOTHING if value is None else value for value in one.values}) > 1]


def nearest_preset(config: ExperimentConfig) -> Preset:
    """The preset, taken to the config's dataset, with the fewest other values."""
    return min(PRESETS.values(), key=lambda preset: len(differences([config, preset_for(preset, config)])))


def preset_for(preset: Preset, config: ExperimentConfig) -> ExperimentConfig:
    """The preset's config on the dataset and split of this one."""
    return preset.config.replace(data=preset.config.data.replace(dataset=config.data.dataset, split=config.data.split))


def _rows(config: Schema, section: str) -> Iterator[ConfigRow]:
    """A schema's own knobs, then those of the schemas inside it, each under its own heading."""
    inner: list[tuple[str, Schema]] = []
    for name, info in type(config).model_fields.items():
        value, title = getattr(config, name), translated(info.title or "")
        schemas = [value] if isinstance(value, Schema) else [one for one in value if isinstance(one, Schema)] if _is_list(value) else []
        if schemas:
            heading = f"{section} · {title}" if section else str(title)
            inner += [(f"{heading} {number}" if len(schemas) > 1 else heading, schema) for number, schema in enumerate(schemas, start=1)]
        elif (info.title or name in TAGS) and value != "":
            yield ConfigRow(section, title or name_of(name), readable(value), _unit(info), translated(info.description or ""))
    for heading, schema in inner:
        yield from _rows(schema, heading)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _unit(info: FieldInfo) -> Any:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return translated(str(extra.get("unit", "")))


def readable(value: Any) -> Any:
    """A value as a person reads it: names of choices, numbers with commas between them, ✓ and a dash."""
    if isinstance(value, bool):
        return "✓" if value else NOTHING
    if _is_list(value):
        return ", ".join(map(str, value)) or NOTHING
    if isinstance(value, float):
        return f"{value:g}"
    return str(name_of(value)) if isinstance(value, str) and value else value
