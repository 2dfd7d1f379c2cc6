"""Everything a person reads on the site is there in Chinese too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from pytest_django import Settings

from ml.words import PLACE
from webapp.engine_texts import engine_texts, error_names, put_together, sources
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


@pytest.mark.parametrize("locale", LOCALES)
def test_places_for_values_survive_translation(locale: str) -> None:
    with catalogue_path(locale).open("rb") as file:
        catalogue = read_po(file, locale=locale)
    found = {text: str(catalogue[text].string) for text in engine_texts() if text in catalogue}
    assert len(found) > 300
    lost = [text for text, chinese in found.items() if sorted(set(PLACE.findall(text))) != sorted(set(PLACE.findall(chinese)))]
    assert lost == []


def test_no_sentence_is_put_together_where_nobody_could_translate_it() -> None:
    assert list(put_together()) == [], "give an error a template and its values: BadVideo(“{name} is empty”, name=path.name)"


@pytest.mark.parametrize(
    "code",
    [
        'raise BadVideo(f"{name} is empty")',
        'raise BadVideo("Empty", f"Copy {name} again.")',
        'raise BadVideo("{} is empty".format(name))',
        'raise BadVideo(name + " is empty")',
        'raise BadVideo("%s is empty" % name)',
        "raise BadVideo(str(error))",
        'advice = f"Copy {name} again."\n    raise BadVideo("Empty", advice)',
        'yield VideoFailed(name, f"{name} is empty")',
        'yield Words(f"{name} is empty")',
        'raise Worse("Empty", "Copy it again." if name else f"Copy {name} again.")',
    ],
)
def test_a_sentence_that_is_put_together_is_found(code: str, tmp_path: Path, settings: Settings, fresh: None) -> None:
    settings.BASE_DIR = tmp_path
    (tmp_path / "ml").mkdir()
    declared = "class UserError(Exception): ...\nclass BadVideo(UserError): ...\nclass Worse(BadVideo): ...\n"
    file = tmp_path / "ml" / "empty.py"
    file.write_text(f"{declared}def check(name, error):\n    {code}\n")
    assert len(list(put_together())) == 1
    file.write_text(f'{declared}def check(name):\n    raise Worse("{{name}} is empty", "Copy it again.", name=name)\n')
    _forget()
    assert list(put_together()) == [] and {"{name} is empty", "Copy it again."} <= set(engine_texts())


@pytest.fixture
def fresh() -> Iterator[None]:
    """The code is read anew, and again after the test."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    for read in (sources, error_names):
        read.cache_clear()
