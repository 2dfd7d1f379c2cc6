"""The state of the run table: what is searched for, and in which order."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.choices import MODALITIES
from webapp.datasets.models import Dataset
from webapp.datasets.selectors import AnyUser, visible_datasets
from webapp.experiments.selectors.run_list import ORDERS
from webapp.jobs.models import Job


class RunFilterForm(forms.Form):
    """The state of the run table, kept in its address; what is not allowed there is ignored."""

    search = forms.CharField(label=_("Search"), required=False, max_length=120)
    dataset = forms.ModelChoiceField(Dataset.objects.none(), label=_("Dataset"), required=False, empty_label=_("all"))
    modality = forms.ChoiceField(label=_("Modality"), required=False, choices=[("", _("all")), *MODALITIES.items()])
    state = forms.ChoiceField(label=_("Status"), required=False, choices=[("", _("all")), *Job.State.choices])
    archived = forms.BooleanField(label=_("Archived"), required=False)
    order = forms.ChoiceField(
        required=False, widget=forms.HiddenInput, choices=[(sign + name, name) for name in ORDERS for sign in ("", "-")]
    )

    def __init__(self, user: AnyUser, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = "filter_%s"
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = visible_datasets(user)  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Keyword arguments for `webapp.experiments.selectors.run_list.filtered`."""
        self.is_valid()
        allowed = self.cleaned_data
        dataset = allowed.get("dataset")
        return {
            "search": allowed.get("search", ""),
            "dataset": dataset.pk if dataset else None,
            "modality": allowed.get("modality", ""),
            "state": allowed.get("state", ""),
            "archived": allowed.get("archived", False),
            "order": allowed.get("order") or "-created",
        }
