"""The ways through a schema, field by field: its sections on a page, its values flat by path, and flat values nested again.

A path is in pydantic's own words, with the chosen tag of a union as a part of it: `data.input.flow.stack_len`. So an
error's `loc` *is* a path, and two variants never share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args, get_origin

from django import forms
from pydantic.fields import FieldInfo

from ml.config.schema import Schema
from webapp.choices import name_of
from webapp.schema_fields import choice_field, field_for, translated


@dataclass(frozen=True)
class Section:
    """A schema on the page: its own fields, and the fieldsets of the schemas inside it."""

    title: Any = ""
    help: Any = ""
    names: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    variant: tuple[str, str] | None = None  # (name of the select, its value) that this section belongs to

    @property
    def is_empty(self) -> bool:
        return not self.names and all(section.is_empty for section in self.sections)


def initial_of(config: Schema) -> dict[str, Any]:
    """The values of every field for a config; variants that were not chosen show their defaults."""
    return dict(_initial(config, ""))


def _initial(config: Schema, path: str) -> Iterator[tuple[str, Any]]:
    for name, info in type(config).model_fields.items():
        key, value = _join(path, name), getattr(config, name)
        if info.discriminator:
            tag = str(info.discriminator)
            yield f"{key}.{tag}", getattr(value, tag)
            for choice, variant in variants_of(info).items():
                yield from _initial(value if isinstance(value, variant) else variant(), f"{key}.{choice}")
        elif isinstance(value, Schema):
            yield from _initial(value, key)
        else:
            yield key, value


def layout_of(schema: type[Schema], path: str, fixed: Mapping[str, Any], fields: dict[str, forms.Field], **words: Any) -> Section:
    """The section of a schema; its form fields are put into `fields` on the way."""
    names: list[str] = []
    sections: list[Section] = []
    for name, info in schema.model_fields.items():
        key = _join(path, name)
        if key in fixed or _is_constant(info):
            continue
        if info.discriminator:
            select = f"{key}.{info.discriminator}"
            if select not in fixed:
                fields[select] = _select(info)
                names.append(select)
            sections += _variant_sections(info, key, select, fixed, fields)
        elif _is_schema(info.annotation):
            sections.append(layout_of(info.annotation, key, fixed, fields, **_about(info)))
        else:
            fields[key] = field_for(info)
            names.append(key)
    return Section(names=tuple(names), sections=tuple(sections), **words)


def _variant_sections(
    info: FieldInfo, key: str, select: str, fixed: Mapping[str, Any], fields: dict[str, forms.Field]
) -> Iterator[Section]:
    """One section a variant of a union, or that of the fixed one alone, which no select shows or hides."""
    for value, variant in variants_of(info).items():
        if fixed.get(select, value) == value:
            chosen_by = None if select in fixed else (select, value)
            words = {"title": name_of(value), "help": _purpose(variant), "variant": chosen_by}
            yield layout_of(variant, f"{key}.{value}", fixed, fields, **words)


def _about(info: FieldInfo) -> dict[str, Any]:
    return {"title": translated(info.title or ""), "help": translated(info.description or "")}


def _select(info: FieldInfo) -> forms.Field:
    words = {"label": translated(info.title or ""), "help_text": translated(info.description or "")}
    return choice_field(variants_of(info), required=False, widget=forms.Select(attrs={"data-variants": ""}), **words)


def raw_of(schema: type[Schema], path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The flat values of a form, nested as the schema is; of a union only the chosen variant."""
    raw: dict[str, Any] = {}
    for name, info in schema.model_fields.items():
        key = _join(path, name)
        if key in values:
            raw[name] = values[key]
        elif info.discriminator:
            tag = str(info.discriminator)
            choice = values[f"{key}.{tag}"]
            variant = variants_of(info).get(choice)
            raw[name] = {tag: choice, **(raw_of(variant, f"{key}.{choice}", values) if variant else {})}
        elif _is_schema(info.annotation):
            raw[name] = raw_of(info.annotation, key, values)
    return raw


def variants_of(info: FieldInfo) -> dict[str, type[Schema]]:
    """The schemas of a discriminated union by their tag."""
    tag = str(info.discriminator)
    return {variant.model_fields[tag].default: variant for variant in get_args(info.annotation)}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_constant(info: FieldInfo) -> bool:
    """A version or a kind: a Literal with one value."""
    return get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1


def _is_schema(annotation: Any) -> TypeGuard[type[Schema]]:
    return isinstance(annotation, type) and issubclass(annotation, Schema)


def _purpose(schema: type[Schema]) -> Any:
    """The first line of the schema's docstring."""
    return translated((schema.__doc__ or "").strip().split("\n")[0])
