"""What a user fills in to get predictions and to judge them."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webapp.datasets.models import Dataset, Label, Upload
from webapp.datasets.selectors import AnyUser, own_uploads
from webapp.experiments.models import Fusion, Run
from webapp.predictions.selectors import predicting_fusions, predicting_runs


class PredictForm(forms.Form):
    """Who predicts, and uploads by id; files of the plain form come beside it."""

    model = forms.ChoiceField(label=_("Predict with"))
    uploads = forms.ModelMultipleChoiceField(Upload.objects.none(), required=False, widget=forms.MultipleHiddenInput)

    def __init__(self, user: AnyUser, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fusions, runs = list(predicting_fusions(user)), list(predicting_runs(user))
        self.sources: dict[str, Run | Fusion] = {**_keyed("fusion", fusions), **_keyed("run", runs)}
        groups = ((_("Fusions"), _keyed("fusion", fusions)), (_("Runs"), _keyed("run", runs)))
        choices = [(title, [(key, _named(one)) for key, one in group.items()]) for title, group in groups if group]
        self.fields["model"].choices = choices  # type: ignore[attr-defined]
        self.fields["uploads"].queryset = own_uploads(user)  # type: ignore[attr-defined]

    @property
    def source(self) -> Run | Fusion:
        """Who predicts, once the form is valid."""
        return self.sources[self.cleaned_data["model"]]


def _named(source: Run | Fusion) -> str:
    name = f"{source} · {source.dataset}"
    return _("%(name)s (fusion)") % {"name": name} if isinstance(source, Fusion) else name


def _keyed(kind: str, sources: Iterable[Run | Fusion]) -> dict[str, Run | Fusion]:
    return {f"{kind}-{source.pk}": source for source in sources}


class ConfirmForm(forms.Form):
    """The label the video should have."""

    label = forms.ModelChoiceField(Label.objects.none(), label=_("Label"), empty_label=None)

    def __init__(self, dataset: Dataset, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label"].queryset = self.labels(dataset)  # type: ignore[attr-defined]

    @staticmethod
    def labels(dataset: Dataset) -> QuerySet[Label]:
        return dataset.labels.all()
