"""Collecting what can be translated: templates, Python sources, and the titles and helps of the schemas."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize
from pydantic import BaseModel

from ml.config.data import FrameSpec, Subset
from ml.config.embedding import EMBEDDING_DEFINITIONS, SPACES, UmapConfig
from ml.config.evaluation import METRIC_DEFINITIONS, NORMALIZED_WORDS, FusionConfig
from ml.config.experiment import CONFLICTS, ExperimentConfig, Preset
from ml.config.presets import PAPERS, PRESETS
from ml.config.published import PUBLISHED
from ml.config.studies import STUDIES, StudyPreset
from ml.video.layouts import LAYOUTS
from webapp.engine_texts import engine_texts

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
}
LOCALES = ("zh_Hans",)


def catalogue_path(locale: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / locale / "LC_MESSAGES" / "django.po"


def schema_texts(schema: type[BaseModel]) -> Iterator[str]:
    """Title, description and unit of every field, and the docstring of every schema, all the way down."""
    yield (schema.__doc__ or "").strip()
    for field in schema.model_fields.values():
        yield from filter(None, (field.title, field.description))
        if isinstance(field.json_schema_extra, dict) and "unit" in field.json_schema_extra:
            yield str(field.json_schema_extra["unit"])
        for nested in _schemas_in(field.annotation):
            yield from schema_texts(nested)


def _schemas_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _schemas_in(argument)


def python_of(template: str, origin: str) -> str:
    """The calls of gettext that a template stands for; its indentation means nothing, Python's would."""
    return "\n".join(line.strip() for line in templatize(template, origin=origin).split("\n"))


def collect() -> Catalog:
    """Every translatable text of the product, with where it stands."""
    catalog = Catalog(project="Kinetoscope", charset="utf-8")
    sources = [*sorted(settings.BASE_DIR.glob("webapp/**/*.py")), *sorted(settings.BASE_DIR.glob("templates/**/*.html"))]
    for path in sources:
        text = path.read_text()
        python = python_of(text, str(path)) if path.suffix == ".html" else text
        place = str(path.relative_to(settings.BASE_DIR))
        for line, message, comments, context in extract("python", BytesIO(python.encode()), KEYWORDS):
            catalog.add(message, locations=[(place, line)], auto_comments=comments, context=context)
    for schema in (ExperimentConfig, FusionConfig, UmapConfig, FrameSpec):
        for text in filter(None, schema_texts(schema)):
            catalog.add(text, locations=[("ml/config", 0)])
    presets: tuple[Preset | StudyPreset, ...] = (*PRESETS.values(), *STUDIES.values())
    for preset in presets:
        for text in (preset.title, preset.description):
            catalog.add(text, locations=[("ml/config/presets", 0)])
    for text in (
        *(conflict.message for conflict in CONFLICTS),
        *METRIC_DEFINITIONS.values(),
        *EMBEDDING_DEFINITIONS.values(),
        *SPACES.values(),
        *NORMALIZED_WORDS.values(),
        *(layout.TITLE for layout in LAYOUTS.values()),
        *(paper.title for paper in PAPERS),
        *(text for table in PUBLISHED.values() for text in (table.number, table.title, table.note) if text),
        *get_args(Subset),
        *engine_texts(),
    ):
        catalog.add(text, locations=[("ml", 0)])
    return catalog


def update(locale: str) -> Catalog:
    """The catalogue of `locale` with new texts added, gone ones dropped, translations kept; written to its file."""
    path = catalogue_path(locale)
    catalog = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
    catalog.update(collect(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.project, catalog.version, catalog.fuzzy = "Kinetoscope", "1", False
    catalog.header_comment = "# Kinetoscope in Simplified Chinese."
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, omit_header=False, sort_output=True, no_location=True)
    return catalog
