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
    """As `right` and `wrong` take them."""
    return ",".join(map(str, ids))
