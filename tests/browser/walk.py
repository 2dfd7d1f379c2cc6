"""The pages of a site as a visitor finds them: by following links."""

from collections.abc import Iterable, Iterator
from urllib.parse import parse_qs, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

FILES = (".json", ".csv", ".tex", ".mp4", ".jpg", "/original")
LINKS = "links => links.map((link) => link.pathname + link.search)"


def walk(page: Page, base: str, starts: Iterable[str]) -> Iterator[str]:
    """Addresses below `base`, each open in `page` while it is the last one given: the starts, and one of every other kind of page."""
    starts = tuple(starts)
    waiting, met = list(starts), set()
    while waiting:
        path = waiting.pop(0)
        kind = kind_of(path)
        if not kind or (kind in met and path not in starts):
            continue
        met.add(kind)
        page.goto(base + path)
        links = page.eval_on_selector_all("a[href]:not([download])", LINKS)
        waiting += [link for link in links if kind_of(link) not in met]
        yield path


def kind_of(path: str) -> tuple[str, ...]:
    """The route and the tab that an address leads to; nothing for files and for what leads nowhere."""
    parts = urlsplit(path)
    if parts.path.endswith(FILES):
        return ()
    try:
        return (resolve(parts.path).view_name, *parse_qs(parts.query).get("tab", []))
    except Resolver404:
        return ()
