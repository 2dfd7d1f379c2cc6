"""What users type on the way in: the sources of an import, and its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError as SchemaError

from ml.config.data import FrameSpec
from ml.errors import UserError
from webapp.datasets.models import Upload
from webapp.datasets.selectors import own_uploads
from webapp.datasets.services.imports import allowed_folder


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files at once, through a plain form: what works without JavaScript."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        return [super(ManyFilesField, self).clean(file, initial) for file in data or ()]


class ImportForm(forms.Form):
    """Where the videos come from: uploads that are through, files of a plain form, or a folder on the server."""

    uploads = forms.ModelMultipleChoiceField(Upload.objects.none(), required=False, widget=forms.MultipleHiddenInput)
    file = ManyFilesField(required=False)
    folder = forms.CharField(required=False, max_length=1000, label=_("Folder on the server"))

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["uploads"].queryset = own_uploads(user)  # type: ignore[attr-defined]
        self.fields["uploads"].error_messages["invalid_choice"] = _("An upload is gone, or it is not yours. Choose the file again.")

    def clean_folder(self) -> Path | None:
        text = self.cleaned_data["folder"].strip()
        try:
            return allowed_folder(text) if text else None
        except UserError as error:
            raise forms.ValidationError(error.sentences) from error


class SplitForm(forms.Form):
    """The options of a split made by us."""

    test_fraction = forms.FloatField(
        label=_("Share of test videos"),
        min_value=0.05,
        max_value=0.9,
        initial=0.3,
        help_text=_("Videos of one group stay together, so the share is met only about."),
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    seed = forms.IntegerField(label=_("Seed"), min_value=0, max_value=2**31 - 1, initial=0, help_text=_("Same seed, same split."))

    @property
    def split(self) -> dict[str, Any]:
        """The options; empty when a split came with the data."""
        return {name: self.cleaned_data[name] for name in ("test_fraction", "seed") if name in self.fields}


class ConfirmImportForm(SplitForm):
    """The options of an import whose preview was seen."""

    name = forms.CharField(max_length=120, label=_("Name"))
    description = forms.CharField(required=False, label=_("Description"), widget=forms.Textarea(attrs={"rows": 3}))
    short_side = forms.IntegerField(label=_("Stored short side (px)"))
    field_order = ("name", "description", "short_side")

    def __init__(self, *args: Any, needs_split: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        knob = FrameSpec.model_fields["short_side"]
        self.fields["short_side"].initial = knob.default
        self.fields["short_side"].help_text = knob.description or ""
        if not needs_split:
            del self.fields["test_fraction"], self.fields["seed"]

    def clean_short_side(self) -> int:
        value: int = self.cleaned_data["short_side"]
        try:
            FrameSpec(short_side=value)
        except SchemaError as error:
            raise forms.ValidationError(error.errors()[0]["msg"]) from error
        return value
