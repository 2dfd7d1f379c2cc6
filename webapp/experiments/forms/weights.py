"""A file of pretrained weights and the backbone it is for."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml.config.weights import IMAGENET
from webapp.choices import name_of
from webapp.datasets.models import Upload
from webapp.datasets.selectors import AnyUser, own_uploads


class WeightsForm(forms.Form):
    """One upload that is through, or one file of a plain form."""

    backbone = forms.ChoiceField(label=_("Backbone"))
    uploads = forms.ModelMultipleChoiceField(Upload.objects.none(), required=False, widget=forms.MultipleHiddenInput)
    file = forms.FileField(required=False)

    def __init__(self, user: AnyUser, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["backbone"].choices = [(name, name_of(name)) for name in IMAGENET]  # type: ignore[attr-defined]
        self.fields["uploads"].queryset = own_uploads(user)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        files = [*(cleaned.get("uploads") or ()), *([cleaned["file"]] if cleaned.get("file") else [])]
        if len(files) != 1:
            self.add_error(None, _("Choose one file of weights."))
        elif isinstance(files[0], Upload) and not files[0].is_complete:
            self.add_error(None, _("The upload is not complete: choose the file again, and it goes on."))
        return cleaned
