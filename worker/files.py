"""Input files of ml commands."""

from __future__ import annotations

from pathlib import Path

from ml.config.schema import Schema
from ml.process import atomic_path


def write_config(path: Path, config: Schema) -> None:
    """A config as JSON, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(config.model_dump_json(indent=1), encoding="utf-8")
