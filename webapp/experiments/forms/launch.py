"""What a new run is called and what it learns from; the configs themselves get their forms from `webapp.forms`."""

from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml.config.data import OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.config.study import SEED, SPLIT, Axis
from webapp.datasets.models import Split
from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Run
from webapp.experiments.references import reference_to
from webapp.experiments.selectors.access import trainable_splits, visible_runs
from webapp.jobs.models import Job


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
    split = SplitChoice(Split.objects.none(), label=_("Dataset and split"), help_text=_("Datasets you may change, with their splits."))
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
        """Whether something that is folded away has a mistake, was chosen, or must be."""
        return any(
            field.errors or field.field.required or str(field.value() or "") not in ("", str(field.field.initial)) for field in self.further
        )

    @property
    def chosen_split(self) -> Split | None:
        """The split as posted, or the one that is preselected."""
        pk = self.data.get("split") if self.is_bound else self.initial["split"]
        return next((split for split in self.fields["split"].queryset if str(split.pk) == str(pk)), None)  # type: ignore[attr-defined]

    @property
    def further_datasets(self) -> list[OtherDataset]:
        """By their numbers."""
        return [reference_to(split) for split in self._chosen.get("also", ())]

    @property
    def references(self) -> dict[str, Any]:
        """What the config names by its number, by path: the further datasets, and the run to start from."""
        start = self._chosen.get("start")
        also = [other.model_dump() for other in self.further_datasets]
        return {"data.also": also, "training.init_run": str(start.pk) if start else ""}

    @property
    def _chosen(self) -> dict[str, Any]:
        return self.cleaned_data if self.is_bound and self.is_valid() else {}

    def repeats(self, config: ExperimentConfig) -> tuple[Axis, ...]:
        """The axes of splits and seeds that are asked for; none where everything is wanted once."""
        split, first = self.cleaned_data["split"], config.training.seed
        splits = list(split.dataset.splits.values_list("name", flat=True)) if self.cleaned_data["all_splits"] else []
        seeds = list(range(first, first + (self.cleaned_data["seeds"] or 1)))
        return tuple(Axis(field=field, values=tuple(values)) for field, values in ((SPLIT, splits), (SEED, seeds)) if len(values) > 1)
