"""What users type about a dataset: its name, its members, the class of a video."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.datasets.models import Dataset, Label, Membership


class DatasetForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name and description."""

    class Meta:
        model = Dataset
        fields = ("name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}


class MemberForm(forms.Form):
    """Whom to share with, and how far."""

    username = forms.CharField(max_length=150, label=_("User name"))
    role = forms.ChoiceField(choices=Membership.Role.choices, label=_("Role"))


class RelabelForm(forms.Form):
    """The class of one video; there is nothing empty to choose, unless it has none yet."""

    label = forms.ModelChoiceField(Label.objects.none(), label=_("Class"), empty_label=_("choose one"))

    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.initial.get("label"):
            self.fields["label"].empty_label = None  # type: ignore[attr-defined]
        self.fields["label"].queryset = dataset.labels.all()  # type: ignore[attr-defined]
