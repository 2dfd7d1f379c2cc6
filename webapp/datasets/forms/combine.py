"""What users choose to combine two datasets: which ones, and what becomes of each class of the second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml.config.combining import ClassMap, Likeness, Shared, likeness
from webapp.datasets.models import Dataset
from webapp.datasets.selectors import AnyUser
from webapp.datasets.selectors.combine import partners
from webapp.datasets.selectors.summary import ClassRow

ADDED, SAME, LEFT_OUT = "added", "same", "left_out"
FATES = [(ADDED, _("added as a new class")), (SAME, _("the same class as")), (LEFT_OUT, _("left out"))]
SHARED = [("left_out", _("left out, as in the paper")), ("joined", _("put into that class"))]


class PartnerField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A dataset; its number tells apart what has one name."""

    def label_from_instance(self, obj: Dataset) -> str:
        return f"{obj.name} (no. {obj.pk})"


class PartnerForm(forms.Form):
    """Where classes come from, and what is proposed for those that both datasets have."""

    second = PartnerField(Dataset.objects.none(), label=_("Add classes of"), empty_label=None)
    shared = forms.ChoiceField(label=_("Videos of classes in both"), choices=SHARED)

    def __init__(self, user: AnyUser, first: Dataset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["second"].queryset = partners(user, first)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class ClassChoice:
    """A line of the page: a class of the second dataset, its fields, and the class of the first that has a like name."""

    row: ClassRow
    fate: forms.BoundField
    same: forms.BoundField
    like: Likeness | None


class ClassMapForm(forms.Form):
    """What becomes of each class of the second dataset. Several may be the same as one: the videos of all join it.

    Args:
        first: the names of the first dataset's classes.
        second: the second dataset's classes.
        shared: what is proposed for classes that have the same name in both.
    """

    name = forms.CharField(label=_("Name of the combined dataset"), max_length=120)

    def __init__(self, first: Sequence[str], second: Sequence[ClassRow], shared: Shared, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first, self.second = first, second
        self.likenesses = {row.index: likeness(row.name, first) for row in second}
        for row in second:
            like = self.likenesses[row.index]
            self.fields[f"fate-{row.index}"] = forms.ChoiceField(choices=FATES, initial=_proposed(like, shared), label=row.name)
            same = forms.CharField(required=False, max_length=200, initial=like.name if like else "", label=row.name)
            same.widget.attrs["list"] = "first-classes"
            self.fields[f"same-{row.index}"] = same

    @property
    def choices(self) -> Iterator[ClassChoice]:
        for row in self.second:
            yield ClassChoice(row, self[f"fate-{row.index}"], self[f"same-{row.index}"], self.likenesses[row.index])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for row in self.second:
            self._check(row, cleaned.get(f"fate-{row.index}", ""), cleaned.get(f"same-{row.index}", ""))
        if not self.errors and not any(self.class_map.classes.values()):
            self.add_error(None, _("Every class is left out: nothing would be added."))
        return cleaned

    def _check(self, row: ClassRow, fate: str, same: str) -> None:
        if fate == ADDED and row.name in self.first:
            self.add_error(f"fate-{row.index}", _("There is a class of this name: say that it is the same, or leave it out."))
        if fate == SAME and same not in self.first:
            error = _("“%(name)s” is no class of the first dataset.") % {"name": same} if same else _("Say which class it is.")
            self.add_error(f"same-{row.index}", error)

    @property
    def class_map(self) -> ClassMap:
        """What was chosen; call it after `is_valid()`."""
        return ClassMap(classes={row.name: self._target(row) for row in self.second})

    def _target(self, row: ClassRow) -> str:
        given: dict[str, str] = self.cleaned_data
        return {ADDED: row.name, SAME: given[f"same-{row.index}"], LEFT_OUT: ""}[given[f"fate-{row.index}"]]


def _proposed(like: Likeness | None, shared: Shared) -> str:
    if like is None:
        return ADDED
    return SAME if like.is_same and shared == "joined" else LEFT_OUT
