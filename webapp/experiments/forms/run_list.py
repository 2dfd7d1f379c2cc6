"""The state of the tables of runs and fusions: what is searched for, in which order, and whether studies are folded."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from webapp.choices import MODALITIES
from webapp.datasets.models import Dataset
from webapp.datasets.selectors import AnyUser, visible_datasets
from webapp.experiments.selectors.access import visible_studies
from webapp.experiments.selectors.folding import ALL
from webapp.experiments.selectors.run_list import ORDERS
from webapp.jobs.models import Job


class StudyFilterForm(forms.Form):
    """Whether what studies launched is folded, shown, or the members of one of them are."""

    study = forms.ChoiceField(label=_("Studies"), required=False)

    def __init__(self, user: AnyUser, data: Mapping[str, Any]) -> None:
        super().__init__(data, auto_id="filter_%s")
        studies = [(str(study.pk), study.name) for study in visible_studies(user)]
        self.fields["study"].choices = [("", _("folded")), (ALL, _("unfolded")), *studies]  # type: ignore[attr-defined]
        if not studies:
            self.fields["study"].widget = forms.HiddenInput()

    def chosen(self) -> dict[str, Any]:
        """What is allowed of the address."""
        self.is_valid()
        return {"study": self.cleaned_data.get("study", "")}


class RunFilterForm(StudyFilterForm):
    """The state of the run table, kept in its address; what is not allowed there is ignored."""

    field_order = ("search", "dataset", "modality", "state", "study", "archived")
    search = forms.CharField(label=_("Search"), required=False, max_length=120)
    dataset = forms.ModelChoiceField(Dataset.objects.none(), label=_("Dataset"), required=False, empty_label=_("all"))
    modality = forms.ChoiceField(label=_("Modality"), required=False, choices=[("", _("all")), *MODALITIES.items()])
    state = forms.ChoiceField(label=_("Status"), required=False, choices=[("", _("all")), *Job.State.choices])
    archived = forms.BooleanField(label=_("Archived"), required=False)
    order = forms.ChoiceField(
        required=False, widget=forms.HiddenInput, choices=[(sign + name, name) for name in ORDERS for sign in ("", "-")]
    )

    def __init__(self, user: AnyUser, data: Mapping[str, Any]) -> None:
        super().__init__(user, data)
        self.fields["dataset"].queryset = visible_datasets(user)  # type: ignore[attr-defined]

    def chosen(self) -> dict[str, Any]:
        """Keyword arguments for `webapp.experiments.selectors.run_list.filtered`."""
        study, allowed = super().chosen(), self.cleaned_data
        dataset = allowed.get("dataset")
        return {
            **study,
            "search": allowed.get("search", ""),
            "dataset": dataset.pk if dataset else None,
            "modality": allowed.get("modality", ""),
            "state": allowed.get("state", ""),
            "archived": allowed.get("archived", False),
            "order": allowed.get("order") or "-created",
        }
