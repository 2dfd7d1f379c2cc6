"""How jobs look on our pages: what they say, where they stand, and what can be done with them."""

import re

from django import template
from django.utils.translation import gettext_noop

from webapp.jobs import keeping, waiting
from webapp.jobs.failures import HEADLINES
from webapp.jobs.models import Job
from webapp.words import translated

register = template.Library()

PROGRESS_WORDS = (
    gettext_noop("videos"),
    gettext_noop("pairs"),
    gettext_noop("steps"),
    gettext_noop("streams"),
    gettext_noop("maps"),
    gettext_noop("reading the video"),
)
"""Words of the engine that a progress bar shows: here to be collected."""


@register.filter
def headline(failure: dict[str, str]) -> str:
    """What kind of failure it is, or its message where the kind has no name."""
    return translated(HEADLINES.get(failure.get("code", ""), failure["message"]))


@register.filter
def progress_words(message: str) -> str:
    """What a running job says of itself, but for a video's key, which means nothing to anybody."""
    return "" if re.fullmatch(r"[0-9a-f]{12,64}", message) else translated(message)


register.filter("restart_words", keeping.restart_words)
register.filter("cancel_words", keeping.cancel_words)
register.filter("cancel_verb", keeping.cancel_verb)
register.filter("is_hopeless", keeping.is_hopeless)
register.filter("ahead", waiting.ahead)
register.filter("needs_resume", waiting.needs_resume)


@register.inclusion_tag("_badge.html")
def state_badge(job: Job) -> dict[str, object]:
    """A job's state in a coloured pill."""
    return {"job": job, "words": waiting.state_words(job)}


@register.inclusion_tag("_progress.html")
def progress_bar(job: object) -> dict[str, object]:
    """A job's progress with its numbers and ETA."""
    return {"job": job}
