"""Everything a person reads on the site is there in Chinese too."""

import pytest
from babel.messages.pofile import read_po

from webapp.messages import LOCALES, catalogue_path, collect


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_has_a_translation(locale: str) -> None:
    with catalogue_path(locale).open("rb") as file:
        catalogue = read_po(file, locale=locale)
    translated = {message.id for message in catalogue if message.id and message.string and not message.fuzzy}
    missing = sorted(str(message.id) for message in collect() if message.id and message.id not in translated)
    assert missing == [], "run `make messages` and translate what it lists"


@pytest.mark.parametrize("locale", LOCALES)
def test_placeholders_survive_translation(locale: str) -> None:
    with catalogue_path(locale).open("rb") as file:
        catalogue = read_po(file, locale=locale)
    errors = [(message.id, [str(error) for error in problems]) for message, problems in catalogue.check() if problems]
    assert errors == []
