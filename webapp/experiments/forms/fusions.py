"""What a user fills in to fuse streams; the fields of the config itself come from its schema."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ml.config.evaluation import FusionConfig
from webapp.choices import MODALITIES
from webapp.experiments.models import Evaluation
from webapp.forms import schema_form
from webapp.protocols import views_of
from webapp.punctuation import bracketed
from webapp.shares import in_percent

FusionConfigForm = schema_form(FusionConfig)


class StreamsForm(forms.Form):
    """Which evaluations to fuse, and under what name."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    streams = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Streams"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Two or more; weights follow this order."),
        error_messages={"required": gettext_lazy("Choose the evaluations of two runs or more.")},
    )

    def __init__(self, evaluations: Sequence[Evaluation], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.evaluations = {evaluation.pk: evaluation for evaluation in evaluations}
        self.fields["streams"].choices = [(e.pk, _stream_label(e)) for e in evaluations]  # type: ignore[attr-defined]

    def chosen(self) -> list[Evaluation]:
        """In the order shown."""
        return [self.evaluations[pk] for pk in sorted(self.cleaned_data["streams"], key=list(self.evaluations).index)]


def _stream_label(evaluation: Evaluation) -> str:
    """`flow run · flow · top-1 71.2 % (5 frames × 1 crop)`; of a further head, whose run it is."""
    run, metrics = evaluation.run, evaluation.metrics
    assert run is not None  # noqa: S101 - only evaluations of runs are offered
    top1 = in_percent(metrics["top1"], metrics["num_videos"])
    head = [_("run on %(dataset)s") % {"dataset": run.dataset}] if evaluation.other_split_id else []
    views = views_of(metrics["protocol"]["short"])
    return " · ".join([run.name, *head, str(MODALITIES[run.modality]), f"top-1 {top1}" + bracketed(views)])
