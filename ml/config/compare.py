"""Two specs side by side."""

from collections.abc import Iterator, Mapping
from typing import Any


def side_by_side(found: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """A line for each field that differs, under a heading; – where one of them has no such field."""
    has, wants = dict(_flat(found)), dict(_flat(asked))
    fields = [field for field in {**has, **wants} if has.get(field, "–") != wants.get(field, "–")]
    rows = [("", "it has", "asked for"), *((field, str(has.get(field, "–")), str(wants.get(field, "–"))) for field in fields)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _flat(spec: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in spec.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
