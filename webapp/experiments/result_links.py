"""Addresses of the videos behind a number."""

from collections.abc import Callable, Iterable
from urllib.parse import urlencode

from django.urls import reverse


def videos_url(evaluation_id: int, **query: object) -> str:
    """Scored videos of an evaluation, filtered: `true`, `predicted`, `outcome`, `right`, `wrong`."""
    chosen = {name: value for name, value in query.items() if value is not None and value != ""}
    return reverse("experiments:evaluation_videos", args=(evaluation_id,)) + (f"?{urlencode(chosen)}" if chosen else "")


def class_url(evaluation_id: int, **query: object) -> Callable[[int], str]:
    """Class index → address of that class's videos; for charts, which need hundreds."""
    start = videos_url(evaluation_id, **query)
    joint = "&" if "?" in start else "?"
    return lambda index: f"{start}{joint}true={index}"


def id_list(ids: Iterable[int]) -> str:
    """As `right`, `wrong`, `runs` and `fusions` take them."""
    return ",".join(map(str, ids))


def ids_in(values: Iterable[str]) -> list[int]:
    """The ids of `1,2` and of repeated fields, in their order, each once; what is no id is left out."""
    parts = (part for value in values for part in value.split(","))
    return list(dict.fromkeys(int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) <= 18))
