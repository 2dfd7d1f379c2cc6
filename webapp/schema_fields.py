"""One knob of a schema → one Django form field: its widget, help, unit and limits. Whether a value is allowed, pydantic alone decides."""

from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic.fields import FieldInfo

from webapp.choices import name_of

SEPARATORS = str.maketrans("，、;；", ",,,,")


class TextField(forms.CharField):
    """One line of text; numbers too arrive as text, and pydantic reads them."""

    unit = ""
    limits = ""
    advanced = False


class ListField(TextField):
    """Numbers with commas between them ↔ a tuple."""

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else ", ".join(map(str, value))

    def clean(self, value: Any) -> Any:
        return tuple(item.strip() for item in super().clean(value).translate(SEPARATORS).split(",") if item.strip())


class ValueField(forms.TypedChoiceField):
    """One of the values of a Literal."""

    unit = ""
    limits = ""
    advanced = False


class SwitchField(forms.BooleanField):
    """Yes or no."""

    unit = ""
    limits = ""
    advanced = False


Knob = TextField | ValueField | SwitchField


def translated(text: str) -> Any:
    """A schema's own words in the reader's language; nothing stays nothing (gettext would answer with its header)."""
    return gettext_lazy(text) if text else ""


def field_for(info: FieldInfo) -> Knob:
    """The form field of a leaf.

    Raises:
        TypeError: no widget is known for the type; say which one here.
    """
    words = {"label": translated(info.title or ""), "help_text": translated(info.description or ""), "required": False}
    kind: Any = info.annotation
    knob: Knob
    if get_origin(kind) is Literal:
        knob = choice_field(get_args(kind), title=info.title or "", **words)
    elif kind is bool:
        knob = SwitchField(**words)
    elif kind in (int, float):
        knob = TextField(widget=forms.NumberInput(attrs=_number_attributes(kind, info)), **words)
    elif kind is str:
        knob = TextField(**words)
    elif get_origin(kind) is tuple:
        knob = ListField(**words)
    else:
        raise TypeError(f"no form field for {kind!r}")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    knob.unit = translated(str(extra.get("unit", "")))
    knob.limits = limits_text(info)
    knob.advanced = "advanced" in extra
    return knob


def choice_field(values: Iterable[Any], title: str = "", **words: Any) -> ValueField:
    """A select over the values, in their order, under the names they have in the knob of that title."""
    by_text = {str(value): value for value in values}
    return ValueField(choices=[(text, name_of(value, title)) for text, value in by_text.items()], coerce=by_text.__getitem__, **words)


def _limit(info: FieldInfo, *names: str) -> tuple[str, Any]:
    """The first of the limits that the field has, with its name; `("", None)` when it has none."""
    found = ((name, getattr(limit, name)) for name in names for limit in info.metadata if getattr(limit, name, None) is not None)
    return next(found, ("", None))


def _number_attributes(kind: type, info: FieldInfo) -> dict[str, Any]:
    bounds = {"min": _limit(info, "ge", "gt")[1], "max": _limit(info, "le", "lt")[1]}
    return {"step": 1 if kind is int else "any", **{name: bound for name, bound in bounds.items() if bound is not None}}


LIMITS_TEXT = {
    ("ge", "le"): gettext_lazy("%(low)s to %(high)s"),
    ("ge", "lt"): gettext_lazy("%(low)s to below %(high)s"),
    ("gt", "le"): gettext_lazy("above %(low)s, up to %(high)s"),
    ("gt", "lt"): gettext_lazy("above %(low)s, below %(high)s"),
    ("ge", ""): gettext_lazy("at least %(low)s"),
    ("gt", ""): gettext_lazy("above %(low)s"),
    ("", "le"): gettext_lazy("at most %(high)s"),
    ("", "lt"): gettext_lazy("below %(high)s"),
    ("", ""): "",
}


def limits_text(info: FieldInfo) -> Any:
    """`0 to below 1`, in words of the reader, or nothing."""
    (lower, low), (upper, high) = _limit(info, "ge", "gt"), _limit(info, "le", "lt")
    return lazy(lambda: str(LIMITS_TEXT[lower, upper]) % {"low": _short(low), "high": _short(high)}, str)()


def _short(number: float | None) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def in_words(error: Any) -> str:
    """One of pydantic's errors as a sentence that names the limit and the value found."""
    given, limits = error["input"], error.get("ctx", {})
    sentence = {
        "greater_than_equal": _("Must be at least %(ge)s; you gave %(given)s."),
        "greater_than": _("Must be more than %(gt)s; you gave %(given)s."),
        "less_than_equal": _("Must be at most %(le)s; you gave %(given)s."),
        "less_than": _("Must be less than %(lt)s; you gave %(given)s."),
        "finite_number": _("Must be a finite number; you gave %(given)s."),
    }.get(error["type"])
    if sentence is not None:
        return sentence % {**{name: _short(limit) for name, limit in limits.items()}, "given": given}
    if given == "" and error["type"].startswith(("int_", "float_")):
        return _("Must be a number; it is empty.")
    if error["type"].startswith("int_"):
        return _("Must be a whole number; you gave “%(given)s”.") % {"given": given}
    if error["type"].startswith("float_"):
        return _("Must be a number; you gave “%(given)s”.") % {"given": given}
    if error["type"] in ("literal_error", "union_tag_invalid", "union_tag_not_found"):
        return _("Choose one of the values.")
    return " ".join(map(_, limits["error"].args)) if error["type"] == "value_error" else str(error["msg"])
