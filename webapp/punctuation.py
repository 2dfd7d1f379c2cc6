"""What stands between words, in the reader's punctuation: Chinese has marks of its own, and no spaces beside them."""

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def listed(parts: Iterable[object]) -> str:
    """`clap, jump, wave`"""
    return pgettext("between the parts of a list", ", ").join(map(str, parts))


def labelled(label: object, text: object) -> str:
    """`Preset: Medium`; without a text what stands before one."""
    return _("%(label)s: %(text)s") % {"label": label, "text": text}


def bracketed(text: object) -> str:
    """` (videos)`, to stand right behind a word."""
    return _(" (%(text)s)") % {"text": text}
