"""What is asked on the page of one run: on which videos to test it once more, and notes."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ml.config.data import Subset
from webapp.datasets.models import Split, SplitEntry
from webapp.datasets.selectors import AnyUser, visible_datasets
from webapp.experiments.models import Run
from webapp.experiments.references import other_splits_that_are
from webapp.experiments.selectors.runs import subsets_of


class PlaceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A split by the name of its dataset."""

    def label_from_instance(self, obj: Split) -> str:
        return f"{obj.dataset.name} · {obj.name}"


class SubsetForm(forms.Form):
    """Which videos to score: a subset of the run's split, or of that of a further dataset which it learns and the user sees."""

    other = PlaceField(Split.objects.none(), required=False, label=_("Dataset"), help_text=_("Each has a last layer of its own."))
    subset = forms.ChoiceField(
        label=_("Subset"),
        initial="test",
        help_text=_("Validation: what the split brings, or else the training videos that this run held out; training: all the others."),
    )

    def __init__(self, user: AnyUser, run: Run, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        others = other_splits_that_are(run.experiment).filter(dataset__in=visible_datasets(user))
        self._offer(others)
        present = {subset for split in (run.split, *others) for subset in subsets_of(run, split)}
        choices = [(value, label) for value, label in SplitEntry.Subset.choices if value in present]
        self.fields["subset"].choices = choices  # type: ignore[attr-defined]

    def _offer(self, others: QuerySet[Split]) -> None:
        """The question is only asked where there is a choice."""
        if others:
            self.fields["other"].queryset = others  # type: ignore[attr-defined]
            self.fields["other"].empty_label = f"{self.run.dataset.name} · {self.run.split.name}"  # type: ignore[attr-defined]
        else:
            del self.fields["other"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        split = cleaned.get("other") or self.run.split
        if "subset" in cleaned and cleaned["subset"] not in subsets_of(self.run, split):
            self.add_error("subset", _("This dataset has no such videos."))
        return cleaned

    @property
    def chosen_subset(self) -> Subset:
        chosen: Subset = self.cleaned_data["subset"]
        return chosen

    @property
    def chosen_other(self) -> Split | None:
        chosen: Split | None = self.cleaned_data.get("other")
        return chosen


class NotesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Free text about a run."""

    class Meta:
        model = Run
        fields = ("notes",)
        labels = {"notes": _("Notes")}
