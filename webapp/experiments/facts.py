"""What the numbers of a run depend on, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from webapp.choices import name_of
from webapp.punctuation import labelled, listed
from webapp.schema_fields import translated
from webapp.shares import in_percent

IN_THE_HEAD = ("dataset", "split", "device")
FRACTIONS = ("top1", "top5", "mean_class_accuracy")
WORDS = {
    "short_side": gettext_noop("short side"),
    "quality": gettext_noop("quality"),
    "epochs": gettext_noop("epochs"),
    "steps": gettext_noop("steps"),
    "train": gettext_noop("training"),
    "validation": gettext_noop("validation"),
    "loss": gettext_noop("loss"),
    "top1": gettext_noop("top-1"),
    "top5": gettext_noop("top-5"),
    "mean_class_accuracy": gettext_noop("mean class accuracy"),
}


def fact_rows(facts: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Title and text of every fact that the head of the page does not say."""
    return [(name_of(name), in_words(value, name)) for name, value in facts.items() if name not in IN_THE_HEAD]


def in_words(value: Any, name: str = "") -> str:
    """`{"short_side": 96, "quality": 95}` → “short side 96, quality 95”; fractions in percent, large counts in groups of three."""
    if isinstance(value, Mapping):
        return listed(_pair(key, part) for key, part in value.items()) or "–"
    if isinstance(value, list | tuple):
        return listed(in_words(part) for part in value) or "–"
    if isinstance(value, float):
        return in_percent(value) if name in FRACTIONS else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _pair(key: str, part: Any) -> str:
    word = translated(WORDS[key]) if key in WORDS else key.replace("_", " ")
    return labelled(word, in_words(part, key)) if isinstance(part, Mapping) else f"{word} {in_words(part, key)}"
