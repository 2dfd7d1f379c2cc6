"""The browser itself: where it is, how it starts, and what a page must not do."""

import shutil
from urllib.parse import urlsplit

from playwright.sync_api import Page

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def chromium_path() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def watch(page: Page) -> list[str]:
    """What a page did that it must not: requests to other hosts, errors in the console."""
    faults: list[str] = []
    page.on("request", lambda request: faults.append(f"request to {request.url}") if is_foreign(request.url) else None)
    page.on("console", lambda message: faults.append(f"console: {message.text}") if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    return faults


def is_foreign(url: str) -> bool:
    return urlsplit(url).hostname not in {"localhost", "127.0.0.1", None}
