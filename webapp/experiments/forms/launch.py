"""What users fill in about runs; the configs themselves get their forms from `webapp.forms`."""

from itertools import groupby
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ml.config.data import Subset
from ml.config.experiment import ExperimentConfig
from ml.config.study import SEED, SPLIT, Axis
from webapp.choices import MODALITIES
from webapp.datasets.models import Dataset, Split, SplitEntry
from webapp.datasets.selectors import AnyUser, visible_datasets
from webapp.experiments.models import Run
from webapp.experiments.references import other_splits_that_are, reference_to
from webapp.experiments.selectors.access import trainable_splits, visible_runs
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
        """Keyword arguments for `selectors_list.filtered`."""
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


class ByDataset:
    """Splits listed under their datasets: one choice that needs no script to fit together."""

    choices: Any

    def group(self, splits: list[Split]) -> None:
        """Show the splits, which come sorted by dataset, in groups."""
        grouped = groupby(splits, key=lambda split: split.dataset)
        self.choices = [
            (f"{dataset.name} (no. {dataset.pk})", [(split.pk, f"{dataset.name} · {split.name}") for split in members])
            for dataset, members in grouped
        ]


class SplitChoice(ByDataset, forms.ModelChoiceField):  # type: ignore[type-arg]
    """One split."""


class SplitsChoice(ByDataset, forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Any number of splits."""


class LaunchForm(forms.Form):
    """What a run is called and what it learns from; the rest is the config's form."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As the run will be listed; numbers and charts carry it."))
    split = SplitChoice(Split.objects.none(), label=_("Dataset and split"), help_text=_("Datasets you may change, with their partitions."))
    also = SplitsChoice(
        Split.objects.none(),
        label=_("Further datasets"),
        required=False,
        help_text=_("Multi-task learning: they share the network but for the last layer. The run is tested on each of them."),
    )
    start = forms.ModelChoiceField(
        Run.objects.none(),
        label=_("Start from a run"),
        required=False,
        empty_label=_("none"),
        help_text=_("Fine-tuning: the weights of a finished run with the same network and input, but for the last layer."),
    )
    all_splits = forms.BooleanField(
        label=_("On every split of this dataset"), required=False, help_text=_("A study: the mean and standard deviation over the splits.")
    )
    seeds = forms.IntegerField(
        label=_("Seeds"),
        required=False,
        min_value=1,
        max_value=20,
        initial=1,
        help_text=_("How often to repeat it, each time with the next seed."),
    )

    def __init__(self, user: AnyUser, *args: Any, dataset: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = trainable_splits(user)
        splits = list(allowed)
        for field in (self.fields["split"], self.fields["also"]):
            field.queryset = allowed  # type: ignore[attr-defined]
            field.group(splits)  # type: ignore[attr-defined]
        self.fields["start"].queryset = visible_runs(user).filter(job__state=Job.State.DONE)  # type: ignore[attr-defined]
        wanted = [split for split in splits if str(split.dataset_id) == dataset] or splits
        self.initial.setdefault("split", wanted[0].pk if wanted else None)

    @property
    def first(self) -> list[forms.BoundField]:
        """What every run needs."""
        return [self["name"], self["split"]]

    @property
    def further(self) -> list[forms.BoundField]:
        """What few runs need; folded away."""
        return [field for field in self if field.name not in ("name", "split")]

    @property
    def is_unfolded(self) -> bool:
        """Whether something that is folded away has a mistake, or was chosen."""
        return any(field.errors or str(field.value() or "") not in ("", str(field.field.initial)) for field in self.further)

    @property
    def chosen_split(self) -> Split | None:
        """The split as posted, or the one that is preselected."""
        pk = self.data.get("split") if self.is_bound else self.initial["split"]
        return next((split for split in self.fields["split"].queryset if str(split.pk) == str(pk)), None)  # type: ignore[attr-defined]

    @property
    def references(self) -> dict[str, Any]:
        """What the config names by its number, by path: the further datasets, and the run to start from."""
        chosen = self.cleaned_data if self.is_bound and self.is_valid() else {}
        start = chosen.get("start")
        also = [reference_to(split).model_dump() for split in chosen.get("also", ())]
        return {"data.also": also, "training.init_run": str(start.pk) if start else ""}

    def repeats(self, config: ExperimentConfig) -> tuple[Axis, ...]:
        """The axes of splits and seeds that are asked for; none where everything is wanted once."""
        split, first = self.cleaned_data["split"], config.training.seed
        splits = list(split.dataset.splits.values_list("name", flat=True)) if self.cleaned_data["all_splits"] else []
        seeds = list(range(first, first + (self.cleaned_data["seeds"] or 1)))
        return tuple(Axis(field=field, values=tuple(values)) for field, values in ((SPLIT, splits), (SEED, seeds)) if len(values) > 1)


class PlaceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A split by the name of its dataset."""

    def label_from_instance(self, obj: Split) -> str:
        return f"{obj.dataset.name} · {obj.name}"


class SubsetForm(forms.Form):
    """Which videos to score: a subset of the run's split, or of that of a further dataset which it learns and the user sees."""

    other = PlaceField(Split.objects.none(), required=False, label=_("Dataset"), help_text=_("Each has a last layer of its own."))
    subset = forms.ChoiceField(label=_("Subset"), initial="test")

    def __init__(self, user: AnyUser, run: Run, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.run = run
        others = other_splits_that_are(run.experiment).filter(dataset__in=visible_datasets(user))
        self._offer(others)
        entries = SplitEntry.objects.filter(split__in=[run.split_id, *others.values_list("pk", flat=True)])
        present = set(entries.values_list("subset", flat=True).distinct())
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
        if "subset" in cleaned and not split.entries.filter(subset=cleaned["subset"]).exists():
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
