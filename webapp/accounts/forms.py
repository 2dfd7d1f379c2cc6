"""Adding a user, and changing one's password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Only a name: the password is generated, and shown once."""

    is_superuser = forms.BooleanField(
        label=_("Admin"), required=False, help_text=_("Sees every dataset and job, and may add users and pretrained weights.")
    )

    class Meta:
        model = User
        fields = ("username", "is_superuser")
        labels = {"username": _("User name")}
        help_texts = {"username": _("Letters, digits and @ . + - _; the name by which datasets are shared.")}


class OwnPasswordForm(PasswordChangeForm):
    """Django's, without taking the keyboard away from the page's beginning."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["old_password"].widget.attrs["autofocus"]
