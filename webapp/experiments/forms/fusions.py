"""What a user fills in to fuse streams; the fields of the config itself come from its schema."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ml.config.evaluation import FusionConfig
from webapp.choices import MODALITIES
from webapp.experiments.models import Evaluation
from webapp.forms import schema_form
from webapp.protocols import views_of
from webapp.shares import in_percent

FusionConfigForm = schema_form(FusionConfig)


class StreamsForm(forms.Form):
    """Which evaluations to fuse, and under what name."""

    name = forms.CharField(label=_("Name"), max_length=120)
    streams = forms.TypedMultipleChoiceField(
        label=_("Streams"),
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Two or more; weights follow this order."),
        error_messages={"required": _("Choose the evaluations of two runs or more.")},
    )

    def __init__(self, evaluations: Sequence[Evaluation], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.evaluations = {evaluation.pk: evaluation for evaluation in evaluations}
        self.fields["streams"].choices = [(e.pk, _stream_label(e)) for e in evaluations]  # type: ignore[attr-defined]

    def chosen(self) -> list[Evaluation]:
        """In the order shown."""
        return [self.evaluations[pk] for pk in sorted(self.cleaned_data["streams"], key=list(self.evaluations).index)]


def _stream_label(evaluation: Evaluation) -> str:
    """`flow run · flow · top-1 71.2 % (5 frames × 1 crop)`."""
    run, metrics = evaluation.run, evaluation.metrics
    assert run is not None  # noqa: S101 - only evaluations of runs are offered
    top1 = in_percent(metrics["top1"], metrics["num_videos"])
    return f"{run.name} · {MODALITIES[run.modality]} · top-1 {top1} ({views_of(metrics['protocol']['short'])})"
