"""What a user fills in to get predictions and to judge them."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.datasets.models import Dataset, Label, Upload, Video
from webapp.datasets.selectors import AnyUser, own_uploads
from webapp.experiments.heads import Head
from webapp.experiments.models import Fusion
from webapp.predictions.selectors import model_groups


class PredictForm(forms.Form):
    """Who predicts, and uploads by id; files of the plain form come beside it."""

    model = forms.ChoiceField(label=_("Predict with"))
    uploads = forms.ModelMultipleChoiceField(Upload.objects.none(), required=False, widget=forms.MultipleHiddenInput)

    def __init__(self, user: AnyUser, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups = model_groups(user)
        self.heads = {head.key: head for _title, group in groups for head in group}
        choices = [(title, [(head.key, _named(head)) for head in group]) for title, group in groups if group]
        self.fields["model"].choices = choices  # type: ignore[attr-defined]
        self.fields["uploads"].queryset = own_uploads(user)  # type: ignore[attr-defined]

    @property
    def head(self) -> Head:
        """Who predicts, once the form is valid."""
        return self.heads[self.cleaned_data["model"]]


def _named(head: Head) -> str:
    """`my run · UCF101`"""
    name = f"{head.source} · {head.dataset}"
    return _("%(name)s (fusion)") % {"name": name} if isinstance(head.source, Fusion) else name


class SendForm(forms.Form):
    """What the dataset cannot see in the video."""

    group = forms.CharField(
        label=_("Group"),
        required=False,
        max_length=Video._meta.get_field("group").max_length,
        help_text=_(
            "The recording it was cut from: it joins the side of each split on which other videos of this group stand. "
            "Without one, splits take it for training, unless they test on the same content."
        ),
    )


class ConfirmForm(forms.Form):
    """The label the video should have."""

    label = forms.ModelChoiceField(Label.objects.none(), label=_("Label"), empty_label=None)

    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].queryset = self.labels(dataset)  # type: ignore[attr-defined]

    @staticmethod
    def labels(dataset: Dataset) -> QuerySet[Label]:
        return dataset.labels.all()
