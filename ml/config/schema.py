"""The base of every schema, and the one way to declare a field with its title, help, range and unit."""

import hashlib
import json
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, WrapValidator
from pydantic.config import JsonDict

from ml.words import Words, joined, packed, unpacked


def _read_words(given: Any, validate: Any) -> Any:
    read = unpacked(given) if isinstance(given, dict) else given
    return read if isinstance(read, Words) else validate(read)


Text = Annotated[str, WrapValidator(_read_words), PlainSerializer(packed, when_used="json")]
"""A sentence for people. Words stay words, through JSON too."""


class Schema(BaseModel):
    """A frozen config: unknown keys are refused, equal configs have equal ids."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    def canonical_json(self) -> str:
        """The one spelling of this config: sorted keys, no spaces."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    def spec_id(self) -> str:
        """Twelve hex digits that name this config wherever a file or a row depends on it."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()[:12]

    def replace(self, **changes: Any) -> Self:
        """A validated copy with some fields changed."""
        return type(self).model_validate({**self.model_dump(), **changes})


def knob(default: Any, title: str, description: str, *, unit: str = "", advanced: bool = False, **limits: Any) -> Any:
    """A field with all that a form, a help page and an API need to know of it.

    Args:
        advanced: most users never touch it; forms fold it away.
        limits: pydantic's own `ge`, `gt`, `le`, `lt`, `min_length`, `max_length`, `discriminator`.
    """
    extra: JsonDict = {name: value for name, value in (("unit", unit), ("advanced", advanced)) if value}
    return Field(default, title=title, description=description, json_schema_extra=extra, **limits)


REASONS = {
    "missing": Words("is missing"),
    "extra_forbidden": Words("is not a known field"),
    "greater_than_equal": Words("must be at least {ge}"),
    "greater_than": Words("must be more than {gt}"),
    "less_than_equal": Words("must be at most {le}"),
    "less_than": Words("must be less than {lt}"),
    "finite_number": Words("must be a finite number"),
    "int_parsing": Words("must be a whole number"),
    "int_from_float": Words("must be a whole number"),
    "int_type": Words("must be a whole number"),
    "float_parsing": Words("must be a number"),
    "float_type": Words("must be a number"),
    "literal_error": Words("must be {expected}"),
    "string_type": Words("must be a text"),
}
"""By pydantic's names of errors."""


def reason(problem: Any) -> str:
    """What is wrong with a value, in words that can be translated where we have them, else in pydantic's own."""
    known, context = REASONS.get(problem["type"]), problem.get("ctx", {})
    if known is not None:
        return Words(known.template, **context)
    if problem["type"] == "value_error":
        return joined(map(Words, context["error"].args), " ")
    return str(problem["msg"]).replace("Input should", "must")


def first_problem(error: ValidationError, whole: str = "") -> dict[str, Any]:
    """The first thing that a schema did not take, for the places of a template: `where` (the field, or `whole`), `problem`, `given`."""
    first = error.errors(include_url=False)[0]
    return {"where": ".".join(map(str, first["loc"])) or whole, "problem": reason(first), "given": first["input"]}
