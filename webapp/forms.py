"""Schema → form: every pydantic schema of `ml.config` gets a Django form with help, units and limits, and gives a validated config back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext
from pydantic import ValidationError

from ml.config.schema import Schema
from webapp.schema_fields import in_words
from webapp.schema_layout import Section, initial_of, layout_of, raw_of


@dataclass(frozen=True)
class BoundSection:
    """A section with the fields of one form, for the templates."""

    form: SchemaForm
    section: Section

    @property
    def title(self) -> Any:
        return self.section.title

    @property
    def help(self) -> Any:
        return self.section.help

    @property
    def fields(self) -> list[forms.BoundField]:
        """What most users look at."""
        return [self.form[name] for name in self.section.names if not self._is_advanced(name)]

    @property
    def advanced(self) -> list[forms.BoundField]:
        """What is folded away."""
        return [self.form[name] for name in self.section.names if self._is_advanced(name)]

    @property
    def is_unfolded(self) -> bool:
        """Whether something that is folded away wants to be seen: a mistake, or a value that is not the usual one."""
        return any(field.errors or self.form.initial[field.name] != self.form.usual[field.name] for field in self.advanced)

    def _is_advanced(self, name: str) -> bool:
        return getattr(self.form.fields[name], "advanced", False)

    @property
    def sections(self) -> list[BoundSection]:
        return [BoundSection(self.form, section) for section in self.section.sections if not section.is_empty]

    @property
    def variant(self) -> str:
        """`NAME:VALUE` of the select that shows this section, or nothing."""
        if self.section.variant is None:
            return ""
        name, value = self.section.variant
        return f"{self.form.add_prefix(name)}:{value}"


class SchemaForm(forms.Form):
    """The base of all generated forms: starts from `config`; after `is_valid()`, `cleaned_config` is what was made of it.

    `readable` is a config as long as one can be read: the first value stands where one was refused.

    Args:
        also_fixed: other values for what the class has fixed, known only now.
    """

    schema: type[Schema]
    fixed: Mapping[str, Any]
    layout: Section
    cleaned_config: Schema
    readable: Schema | None = None

    def __init__(self, *args: Any, config: Schema | None = None, also_fixed: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        self.config = config or self.schema()
        self.fixed = {**self.fixed, **(also_fixed or {})}
        kwargs["initial"] = {**initial_of(self.config), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)

    @cached_property
    def usual(self) -> dict[str, Any]:
        """The values that the schema itself gives."""
        return initial_of(self.schema())

    @property
    def root(self) -> BoundSection:
        return BoundSection(self, self.layout)

    def clean(self) -> dict[str, Any]:
        """What was refused keeps its first value while the others are looked at: how they fit each other is said along with it."""
        cleaned: dict[str, Any] = super().clean() or {}
        refused: set[str] | None = None
        while not self.readable and self.refused != refused:
            refused = self.refused
            self._read({**self.initial, **cleaned, **self.fixed, **{name: self.initial[name] for name in refused}}, refused)
        if self.readable and not self.errors:
            self.cleaned_config = self.readable
        return cleaned

    @property
    def refused(self) -> set[str]:
        """The fields with a mistake."""
        return set(self.errors) & set(self.fields)

    def mark(self, fields: Iterable[str], text: str) -> None:
        """Say it beside each of these fields that the form has; where it has none of them, of the whole form."""
        own: list[str | None] = [name for name in fields if name in self.fields]
        for name in own or [None]:
            self.add_error(name, text)

    def _read(self, values: Mapping[str, Any], refused: set[str]) -> None:
        """The config of these values; or each mistake at its field, but nothing of how those fit that were refused before."""
        try:
            self.readable = self.schema.model_validate(raw_of(self.schema, "", values))
        except ValidationError as error:
            for problem in error.errors():
                self._refuse(problem, refused)

    def _refuse(self, problem: Any, refused: set[str]) -> None:
        ctx = problem.get("ctx", {})
        conflicts = getattr(ctx.get("error"), "conflicts", None)
        if conflicts is None:
            self.add_error(self._field_at(problem["loc"], ctx), in_words(problem))
        for conflict in conflicts or ():
            if refused.isdisjoint(conflict.fields):
                self.mark(conflict.fields, gettext(conflict.message))

    def _field_at(self, loc: tuple[int | str, ...], ctx: Mapping[str, Any]) -> str | None:
        """The field an error belongs to: the longest beginning of its path that is one; None for the whole form."""
        loc = (*loc, str(ctx["discriminator"]).strip("'")) if "discriminator" in ctx else loc
        paths = (".".join(map(str, loc[:length])) for length in range(len(loc), 0, -1))
        return next((path for path in paths if path in self.fields), None)


def schema_form(schema: type[Schema], *, fixed: Mapping[str, Any] | None = None) -> type[SchemaForm]:
    """The form class of a schema.

    Args:
        fixed: values by path that the form neither shows nor accepts, e.g. `{"data.split": "1", "data.input.modality": "flow"}`;
            a fixed discriminator leaves only its own variant.
    """
    fixed = dict(fixed or {})
    fields: dict[str, forms.Field] = {}
    layout = layout_of(schema, "", fixed, fields)
    return type(f"{schema.__name__}Form", (SchemaForm,), {**fields, "schema": schema, "fixed": fixed, "layout": layout})
