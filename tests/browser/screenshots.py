"""Photographs the pages of a running demo: `make demo` in one terminal, `make screenshots` in another.

Every page that links lead to, in light and dark, wide and narrow, into data/screenshots, its faults on the terminal;
those that the documentation shows also into docs/images.
"""

import os
import sys
from itertools import product
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium_path, watch
from tests.browser.walk import kind_of, walk

WIDTHS = {"wide": (1280, 900), "narrow": (390, 844)}
THEMES = ("light", "dark")
SHOWN = Path("docs/images")
SHOWN_NAMES = ("fusion_detail-light-wide", "evaluation_detail-light-wide", "prediction_detail-dark-wide", "embedding-light-wide")
SHOWN_SIZE = {"width": 1280, "height": 1180}
SETTLED_MS = 900
"""Until charts are drawn."""


def name_of(path: str) -> str:
    """`/experiments/3/?tab=curves` → `run_detail-curves`."""
    return "-".join(kind_of(path) or ("page",)).rpartition(":")[2]


def sign_in(page: Page, base: str, username: str, password: str) -> None:
    page.goto(f"{base}/accounts/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("main button")


def photograph(browser: Browser, base: str, username: str, password: str, out: Path) -> None:
    """All pages × themes × widths. The pages are found once."""
    found: list[str] = []
    for theme, (width, size) in product(THEMES, WIDTHS.items()):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)  # type: ignore[arg-type]
        page = context.new_page()
        faults = watch(page)
        sign_in(page, base, username, password)
        found = found or list(walk(page, base, ["/"]))
        for path in found:
            faults.clear()
            page.goto(base + path)
            page.wait_for_timeout(SETTLED_MS)
            name = f"{name_of(path)}-{theme}-{width}"
            page.screenshot(path=out / f"{name}.png", full_page=True)
            if name in SHOWN_NAMES:
                page.set_viewport_size(SHOWN_SIZE)  # type: ignore[arg-type]
                page.screenshot(path=SHOWN / f"{name}.png")
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            for fault in [*faults, *([f"{overflow} px wider than the window"] if overflow > 0 else [])]:
                print(f"{name} {path}: {fault}")
        context.close()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from django.conf import settings

    base = os.environ.get("KINETOSCOPE_URL", "http://127.0.0.1:8000").rstrip("/")
    kept, out = Path(settings.DATA_DIR) / "admin-password.txt", Path(settings.DATA_DIR) / "screenshots"
    password = os.environ.get("KINETOSCOPE_ADMIN_PASSWORD") or (kept.read_text().strip() if kept.exists() else "")
    if not password or chromium_path() is None:
        sys.exit("Needs KINETOSCOPE_ADMIN_PASSWORD (or data/admin-password.txt of a running demo) and Chromium.")
    for folder in (out, SHOWN):
        folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        photograph(browser, base, os.environ.get("KINETOSCOPE_ADMIN_USER", "admin"), password, out)
        browser.close()
    print(f"Pictures of every page are in {out}, those of the documentation in {SHOWN}.")


if __name__ == "__main__":
    main()
