"""Class names as axis labels: Plotly reads tags in text, wants them unique, and has no room for long ones."""

from collections import Counter
from collections.abc import Sequence
from html import escape

LONGEST = 36


def axis_names(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Names → labels without markup, shortened, and still all different."""
    shortened = [name if len(name) <= longest else f"{name[: longest - 1]}…" for name in names]
    counts = Counter(shortened)
    return [escape(name if counts[name] == 1 else f"{name} #{index}", quote=False) for index, name in enumerate(shortened)]
