"""What the engine said, in the reader's language; and how a row keeps it."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext, gettext_noop, override

from ml.words import Words, WordsDecoder, WordsEncoder, filled, unpacked

START = '{"text": '
"""How the JSON of words begins."""

BETWEEN = (gettext_noop("; "), gettext_noop(", "))
"""What stands between words that are joined: here to be collected."""


def said(text: str) -> str:
    """Words in the reader's language: the template is translated, then filled. What is no words is a name, and stays as it is."""
    if not isinstance(text, Words):
        return text
    return filled(gettext(text.template), {name: said(value) for name, value in text.values.items()}) if text else ""


def translated(text: str | dict[str, Any]) -> str:
    """A sentence that was stored: words, their JSON, or words without values, which are a string like any other."""
    words = unpacked(text) if isinstance(text, dict) else text
    return said(words if isinstance(words, Words) else Words(words or ""))


def as_words(name: object) -> Words:
    """A lazy translation, to be filled in and read in any language later."""
    with override(None):
        return Words(str(name))


class WordsField(models.TextField):  # type: ignore[type-arg]
    """Text as it is, and words with what they were made of: JSON, in the same column."""

    def from_db_value(self, value: str | None, *_about: object) -> str | None:
        return value if value is None else read(value)

    def get_prep_value(self, value: Any) -> Any:
        text = super().get_prep_value(value)
        if isinstance(text, str) and not isinstance(text, Words) and isinstance(read(text), Words):  # somebody called something so
            text = Words("{text}", text=text)
        if isinstance(text, Words) and text.values:
            return json.dumps(text, cls=WordsEncoder, ensure_ascii=False)
        return text if text is None else str(text)


class WordsJSONField(models.JSONField):
    """JSON with words in it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "encoder": WordsEncoder, "decoder": WordsDecoder})


def read(value: str) -> str:
    """The words whose JSON this is, or what it is."""
    if not value.startswith(START):
        return value
    try:
        found = json.loads(value, cls=WordsDecoder)
    except json.JSONDecodeError:
        return value
    return found if isinstance(found, Words) else value
