"""How numbers, names and sentences look on our pages."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Literal

from django import template
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ml.config.evaluation import FusionConfig, Protocol
from ml.errors import in_sentences
from webapp.choices import MODALITIES, name_of
from webapp.metrics import definition_of
from webapp.protocols import brief_of, fit_words, views_of, words_of
from webapp.punctuation import bracketed, labelled, listed
from webapp.shares import ENOUGH_FOR_DECIMALS, share_of
from webapp.words import said, translated

register = template.Library()


@register.filter
def percent(fraction: float | Literal[""] | None, count: int | Literal[""] | None = None) -> str:
    """0.8731 → `87.3 %`, or `87 %` of few videos; None, or the "" that a template makes of what isn't there → a dash."""
    return share_of(None if fraction == "" else fraction, count or None)


@register.simple_tag
def few_of(fraction: float | Literal[""] | None, count: int | Literal[""] | None) -> str:
    """`3 of 4`, where the videos are too few for a percentage alone; else nothing."""
    if fraction is None or fraction == "" or not count or count >= ENOUGH_FOR_DECIMALS:
        return ""
    return _("%(right)d of %(count)d") % {"right": round(fraction * count), "count": count}


@register.simple_tag
def few_beside(fraction: float | Literal[""] | None, count: int | Literal[""] | None) -> str:
    """The same in small, behind the percentage in a line."""
    words = few_of(fraction, count)
    return format_html(' <span class="muted small nowrap">{}</span>', words) if words else ""


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a timedelta → `1 h 05 min`, `2 min 10 s`, `4 s`; None → a dash."""
    if value is None:
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": seconds % 60}
    return _("%(seconds)d s") % {"seconds": seconds}


@register.filter
def pace(value: float) -> str:
    """Units a second in three digits or whole: 1234, 56.8, 0.52."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


@register.filter
def choice(value: object) -> object:
    """A value of a schema by its readable name: `cnn_m_2048` → `CNN-M-2048`."""
    return name_of(value)


@register.filter(name="fit_words")
def words_of_fit(config: FusionConfig) -> str:
    """What a fusion's SVM is fitted on: `held-out folds: 5`."""
    return fit_words(config)


@register.filter
def modality(name: str) -> object:
    """`rgb` → `RGB`."""
    return MODALITIES.get(name, name)


@register.filter
def protocol(stored: dict[str, Any] | Protocol) -> str:
    """A protocol in words, to stand beside a number."""
    return words_of(Protocol.model_validate(stored))


@register.filter
def views(short: str) -> str:
    """What a test looks at, where the description of its protocol is near: `5x1` → `5 frames × 1 crop`."""
    return views_of(short)


@register.filter
def brief(protocol: str | dict[str, Any]) -> str:
    """A protocol, or its short name, for the line of a list; the whole description is a tooltip."""
    return brief_of(protocol) if isinstance(protocol, str) else said(Protocol.model_validate(protocol).brief())


@register.filter
def definition(metric: str) -> str:
    """What a metric is, to stand beside its number."""
    return definition_of(metric)


register.filter("translated", translated)


@register.filter
def then(message: str, advice: str) -> str:
    """What happened and what to do next, in the reader's language, to be read in one go."""
    return in_sentences(translated(message), translated(advice))


register.filter("labelled", labelled)
register.filter("bracketed", bracketed)


@register.filter(name="listed")
def listed_filter(parts: Iterable[object], attribute: str = "") -> str:
    """In one line: the parts, or this attribute of each."""
    return listed(getattr(part, attribute) for part in parts) if attribute else listed(parts)
