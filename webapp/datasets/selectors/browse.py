"""Videos of a dataset under allow-listed filters; the address holds the filter, the page and the neighbours follow from it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Prefetch, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from webapp.datasets.models import Dataset, Label, Split, SplitEntry, Video

PAGE_SIZE = 48
SUBSET_CHOICES = [("", _("all")), *SplitEntry.Subset.choices, ("none", _("in none"))]


class BrowseForm(forms.Form):
    """The filters. A value that is not on the list is shown as an error and filters nothing."""

    label = forms.ModelChoiceField(Label.objects.none(), required=False, to_field_name="index", empty_label=_("all"), label=_("Class"))
    split = forms.ModelChoiceField(Split.objects.none(), required=False, to_field_name="name", empty_label=None, label=_("Split"))
    subset = forms.ChoiceField(choices=SUBSET_CHOICES, required=False, label=_("Subset"))
    status = forms.ChoiceField(choices=[("", _("all")), *Video.Status.choices], required=False, label=_("Status"))
    q = forms.CharField(required=False, max_length=200, label=_("Path contains"))

    def __init__(self, dataset: Dataset, data: QueryDict) -> None:
        super().__init__(data)
        self.dataset = dataset
        self.fields["label"].queryset = dataset.labels.all()  # type: ignore[attr-defined]
        self.fields["split"].queryset = dataset.splits.all()  # type: ignore[attr-defined]
        self.is_valid()

    @cached_property
    def split_row(self) -> Split | None:
        """The chosen split, else the first."""
        chosen: Split | None = self.cleaned_data.get("split")
        return chosen or self.dataset.splits.first()


def chosen_videos(form: BrowseForm) -> QuerySet[Video]:
    """The dataset's videos under the filter, by id."""
    given: dict[str, Any] = form.cleaned_data
    videos = Video.objects.filter(dataset=form.dataset).order_by("pk")
    if given.get("label"):
        videos = videos.filter(label=given["label"])
    if given.get("status"):
        videos = videos.filter(status=given["status"])
    if given.get("q"):
        videos = videos.filter(path__icontains=given["q"])
    return _in_subset(videos, given.get("subset", ""), form)


def _in_subset(videos: QuerySet[Video], subset: str, form: BrowseForm) -> QuerySet[Video]:
    if not subset:
        return videos
    entries = SplitEntry.objects.filter(split=form.split_row)
    if subset == "none":
        return videos.exclude(pk__in=entries.values("video"))
    return videos.filter(pk__in=entries.filter(subset=subset).values("video"))


def with_page_rows(videos: QuerySet[Video], split: Split | None) -> QuerySet[Video]:
    """The videos with their label and, as `chosen_entries`, their place in the split."""
    entries = Prefetch("split_entries", SplitEntry.objects.filter(split=split), to_attr="chosen_entries")
    return videos.select_related("label").prefetch_related(entries)


def neighbours(videos: QuerySet[Video], video: Video) -> tuple[Video | None, Video | None]:
    """The video before and the one after, within the filter."""
    return videos.filter(pk__lt=video.pk).order_by("-pk").first(), videos.filter(pk__gt=video.pk).order_by("pk").first()
