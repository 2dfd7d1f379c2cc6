"""What the page of one run shows: its evaluations, its curves, and how its config differs from its parent's."""

from dataclasses import dataclass
from typing import Any

from django.db.models import FloatField, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from ml.config.evaluation import Protocol
from ml.config.schema import Schema
from webapp.charts.curves import CurvePoint
from webapp.choices import name_of
from webapp.experiments.models import Evaluation, Run
from webapp.protocols import words_of
from webapp.schema_fields import translated


def evaluations_of(run: Run) -> QuerySet[Evaluation]:
    """Newest first, with `top1` and `mean_class_accuracy` (0…1) drawn out of the metrics, which stay in the database."""
    numbers = {name: Cast(KeyTextTransform(name, "metrics"), FloatField()) for name in ("top1", "mean_class_accuracy")}
    return run.evaluations.select_related("job").defer("metrics").annotate(**numbers).order_by("-id")


def has_open_jobs(run: Run, evaluations: list[Evaluation]) -> bool:
    """Whether anything on the run's page may still change."""
    return run.job.is_open or any(evaluation.job.is_open for evaluation in evaluations)


def curve_points(run: Run) -> list[CurvePoint]:
    rows = run.points.order_by("step", "is_epoch_end").values_list("step", "epoch", "is_epoch_end", "train", "validation")
    return [CurvePoint(*row) for row in rows]


def steps_per_epoch(run: Run) -> float:
    """From the job's progress, which counts steps; 0 before it is known."""
    return run.job.progress_total / run.experiment.training.epochs


def describe_protocol(protocol: dict[str, Any]) -> str:
    """What stands beside a number."""
    return words_of(Protocol.model_validate(protocol))


@dataclass(frozen=True)
class ConfigRow:
    """A field of a config in words; `before` is the parent's value where that differs."""

    section: str
    title: Any
    value: Any
    unit: Any = ""
    before: Any = None
    has_changed: bool = False


def config_rows(config: Schema, parent: Schema | None = None) -> list[ConfigRow]:
    """Every field, section by section, beside the parent's where there is one."""
    known = {} if parent is None else {(row.section, str(row.title)): row.value for row in _rows(parent, "")}
    return [_beside(row, known) if parent is not None else row for row in _rows(config, "")]


def _beside(row: ConfigRow, known: dict[tuple[str, str], Any]) -> ConfigRow:
    before = known.get((row.section, str(row.title)))
    return ConfigRow(row.section, row.title, row.value, row.unit, before, has_changed=before != row.value)


def _rows(config: Schema, section: str) -> list[ConfigRow]:
    """A schema's own fields, then those of the schemas inside it, each under its own heading."""
    own: list[ConfigRow] = []
    nested: list[ConfigRow] = []
    for name, info in type(config).model_fields.items():
        value, title = getattr(config, name), translated(info.title or "")
        if isinstance(value, Schema):
            nested += _rows(value, f"{section} · {title}" if section else str(title))
        elif (info.title or name in ("modality", "kind")) and value != "":
            extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
            own.append(ConfigRow(section, title or name_of(name), readable(value), translated(str(extra.get("unit", "")))))
    return own + nested


def readable(value: Any) -> Any:
    """A value as a person reads it: names of choices, numbers with commas between them, ✓ and a dash."""
    if isinstance(value, bool):
        return "✓" if value else "–"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "–"
    return str(name_of(value)) if isinstance(value, str) and value else value
