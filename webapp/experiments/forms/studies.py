"""What a user fills in about a grid: a field of the config by its title, and values for it."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Literal, get_args, get_origin

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import JsonValue, ValidationError

from ml.config.experiment import ExperimentConfig
from ml.config.study import REPEATS, SPLIT, Axis, Knob, StudyConfig, read_values
from webapp.choices import name_of
from webapp.datasets.selectors import AnyUser
from webapp.experiments.forms.launch import LaunchForm
from webapp.experiments.studies.bases import Base
from webapp.experiments.studies.words import knobs_of, typed
from webapp.punctuation import listed
from webapp.schema_fields import SEPARATORS, in_words, translated
from webapp.schema_layout import variants_of

PLACES = ("data.dataset", "training.init_run", *REPEATS)
"""Fields that name rows of the site: nothing that a user types."""


class AxisForm(forms.Form):
    """One axis; `axis` is what was made of it, None where no field was chosen."""

    field = forms.ChoiceField(label=gettext_lazy("Field"), required=False)
    values = forms.CharField(
        label=gettext_lazy("Values"),
        required=False,
        max_length=1000,
        help_text=gettext_lazy(
            "With commas between them, e.g. 0.1, 0.2; where one value is a list itself, with semicolons: 10, 15; 20, 30."
        ),
    )
    axis: Axis | None = None

    def __init__(self, streams: Sequence[ExperimentConfig], knobs: Sequence[Knob], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.streams = streams
        self.knobs = {knob.field: knob for knob in knobs}
        self.fields["field"].choices = [("", "–"), *_grouped(knobs)]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if knob := self.knobs.get(cleaned.get("field", "")):
            try:
                self.axis = axis_of(self.streams, knob, cleaned.get("values", ""))
            except ValidationError as error:
                self.add_error("values", _reason(knob, error))
        elif cleaned.get("values"):
            self.add_error("field", _("Choose the field that takes these values."))
        return cleaned


def growing_knobs(grid: StudyConfig) -> list[Knob]:
    """The fields of the axes, and splits and seeds, which may become axes."""
    known = knobs_of(grid.streams)
    return [known[field] for field in (*(axis.field for axis in grid.varied), *REPEATS) if field in known]


def _grouped(knobs: Iterable[Knob]) -> list[tuple[str, list[tuple[str, Any]]]]:
    """The titles as a select shows them, under those of their sections."""
    sections = groupby(knobs, key=lambda knob: knob.titles[:-1])
    return [
        (
            " · ".join(str(translated(title)) for title in section) or str(translated(members[0].titles[-1])),
            [_option(knob) for knob in members],
        )
        for section, members in ((section, list(found)) for section, found in sections)
    ]


def _option(knob: Knob) -> tuple[str, Any]:
    return knob.field, translated(knob.titles[-1])


def axis_of(streams: Sequence[ExperimentConfig], knob: Knob, text: str) -> Axis:
    """The axis that a user's text means.

    Raises:
        ValidationError: a value that the field does not take, or no value at all.
    """
    return Axis(field=knob.field, values=read_values(streams, knob.field, _parts(knob, text)))


def _parts(knob: Knob, text: str) -> list[JsonValue]:
    """The values as they were typed; choices may be called by their readable names."""
    if get_origin(knob.info.annotation) is tuple:
        return [_split(part) for part in text.replace("；", ";").split(";") if part.strip()]
    known = {str(name_of(choice, knob.titles[-1])).casefold(): choice for choice in choices_of(knob)}
    return [known.get(str(part).casefold(), part) for part in _split(text)]


def _split(text: str) -> list[JsonValue]:
    return [part.strip() for part in text.translate(SEPARATORS).split(",") if part.strip()]


def choices_of(knob: Knob) -> tuple[Any, ...]:
    """The values of a choice; none for a number or a text."""
    if knob.info.discriminator:
        return tuple(variants_of(knob.info))
    return get_args(knob.info.annotation) if get_origin(knob.info.annotation) is Literal else ()


def _reason(knob: Knob, error: ValidationError) -> str:
    """The first thing that is wrong, with the choices where it is one."""
    problem: Any = error.errors()[0]
    if problem["type"] == "too_short":
        return _("Give one value or more.")
    if choices := choices_of(knob):
        return _("“%(given)s” is none of: %(choices)s.") % {
            "given": problem["input"],
            "choices": listed(map(name_of, choices)),
        }
    return in_words(problem)


class NewStudy:
    """The forms of a new study as one: where, how often, and up to two fields to vary."""

    def __init__(self, user: AnyUser, base: Base, data: Any) -> None:
        streams = base.grid.streams
        self.base = base
        self.launch = LaunchForm(user, data, initial=_places(base))
        places = ("name", "split", *(["also"] if base.is_multi_task else []), "all_splits", "seeds")
        self.launch.fields = {name: self.launch.fields[name] for name in places}
        if base.is_multi_task:
            self.launch.fields["also"].required = True
        free = [knob for knob in knobs_of(streams).values() if knob.field not in PLACES and not knob.holds_schemas]
        first = [{"field": axis.field, "values": typed(axis.values)} for axis in base.grid.varied]
        self.axes = [AxisForm(streams, free, data, prefix=f"axis{i}", initial=first[i] if i < len(first) else {}) for i in range(2)]

    def is_valid(self) -> bool:
        """All of them are asked, so that all show their errors."""
        validity = [form.is_valid() for form in (self.launch, *self.axes)]
        fields = [form.axis.field for form in self.axes if form.axis]
        if len(set(fields)) < len(fields):
            self.axes[-1].add_error("field", _("A field can be varied once."))
        return all(validity) and len(set(fields)) == len(fields)

    @property
    def grid(self) -> StudyConfig:
        varied = tuple(form.axis for form in self.axes if form.axis)
        streams = [self._launched(stream) for stream in self.base.grid.streams]
        return self.base.grid.replace(streams=streams, axes=(*varied, *self.launch.repeats(streams[0])))

    def _launched(self, stream: ExperimentConfig) -> ExperimentConfig:
        """The temporal stream of a multi-task study with the further datasets."""
        is_joint = self.base.is_multi_task and stream.data.input.reads_flow is not None
        return stream.replace(data=stream.data.replace(also=self.launch.further_datasets)) if is_joint else stream


def _places(base: Base) -> dict[str, Any]:
    name = _("%(name)s, varied") % {"name": base.title[:80]}
    return {"name": name, "all_splits": base.grid.axis(SPLIT) is not None, **({"split": base.split.pk} if base.split else {})}
