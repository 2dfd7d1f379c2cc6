"""What fitting a fusion's SVM costs, and what speaks against its scores, before it is started."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.evaluation import FusionConfig
from webapp.experiments.models import Run
from webapp.experiments.preflight import Finding


def svm_findings(fusions: Iterable[FusionConfig], num_streams: int, runs: Sequence[Run] = ()) -> list[Finding]:
    """What the SVMs among these cost before they can be fitted, and what speaks against their scores; `runs` tell how long it may take."""
    return [_finding(config, num_streams, runs) for config in fusions if config.method == "svm" and config.fit != "validation_scores"]


def _finding(config: FusionConfig, num_streams: int, runs: Sequence[Run]) -> Finding:
    if config.fit == "training_scores":
        return Finding(
            "warning",
            _("The SVM would be fitted on training scores, of which the networks are too sure."),
            _("Held-out folds cost more trainings, and are not."),
        )
    count = num_streams * config.folds
    message = ngettext(
        "For the SVM, %(count)d more run would be trained, each stream %(folds)d times without one fold of the training groups.",
        "For the SVM, %(count)d more runs would be trained, each stream %(folds)d times without one fold of the training groups.",
        count,
    ) % {"count": count, "folds": config.folds}
    return Finding("note", message, _duration(config.folds, runs))


def _duration(num_folds: int, runs: Sequence[Run]) -> str:
    """How long that takes, where the streams' own trainings are over: a pass over the videos is shorter without a fold, a step is not."""
    spans = [(timedelta(seconds=run.job.running_seconds), run) for run in runs if run.job.started_at and run.job.finished_at]
    if not spans or len(spans) < len(runs):
        return ""
    own = sum((span for span, _run in spans), timedelta())
    more = sum((span * (num_folds if run.experiment.training.steps_per_epoch else num_folds - 1) for span, run in spans), timedelta())
    return _("The trainings of these streams took %(own)s min; those would take about %(more)s min, one after the other.") % {
        "own": _minutes(own),
        "more": _minutes(more),
    }


def _minutes(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    return f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"
