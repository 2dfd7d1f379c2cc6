"""Photographs the pages of a running demo: `make demo` in one terminal, `make screenshots` in another.

Every page in light and dark, wide and narrow, into docs/images, and the faults of each page on the terminal.
"""

import os
import re
import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import ARGUMENTS, chromium_path, watch

OUT = Path("docs/images")
WIDTHS = {"wide": (1280, 860), "narrow": (390, 844)}
THEMES = ("light", "dark")


def first_link(page: Page, address: str, pattern: str) -> str:
    """The first link on a page whose address matches; pages are found as a visitor finds them."""
    page.goto(address)
    links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.pathname)")
    return next((link for link in links if re.fullmatch(pattern, link)), "")


def pages(page: Page, base: str) -> dict[str, str]:
    """Name → path of every page worth a picture."""
    dataset = first_link(page, f"{base}/datasets/", r"/datasets/\d+/")
    run = first_link(page, f"{base}/experiments/", r"/experiments/\d+/")
    found = {
        "home": "/",
        "datasets": "/datasets/",
        "import": "/datasets/import/",
        "dataset": dataset,
        "browse": f"{dataset}videos/",
        "video": first_link(page, f"{base}{dataset}videos/", r"/datasets/videos/\d+/"),
        "experiments": "/experiments/",
        "gallery": "/experiments/new/",
        "two-stream": "/experiments/new/two-stream/",
        "run": run,
        "curves": f"{run}?tab=curves",
        "evaluation": first_link(page, base + run, r"/experiments/evaluations/\d+/"),
        "fusion": first_link(page, base + run, r"/experiments/fusions/\d+/"),
        "jobs": "/jobs/",
        "job": first_link(page, f"{base}/jobs/", r"/jobs/\d+/"),
        "predict": "/predict/",
        "prediction": first_link(page, f"{base}/predict/", r"/predict/\d+/"),
        "system": "/jobs/system/",
    }
    return {name: path for name, path in found.items() if path.startswith("/")}


def photograph(browser: Browser, base: str, username: str, password: str) -> None:
    """All pages × themes × widths."""
    for theme, (width, size) in product(THEMES, WIDTHS.items()):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)  # type: ignore[arg-type]
        page = context.new_page()
        faults = watch(page)
        page.goto(f"{base}/accounts/login/")
        page.screenshot(path=OUT / f"login-{theme}-{width}.png", full_page=True)
        page.fill("[name=username]", username)
        page.fill("[name=password]", password)
        page.click("main button")
        for name, path in pages(page, base).items():
            faults.clear()
            page.goto(base + path)
            page.wait_for_timeout(900)
            page.screenshot(path=OUT / f"{name}-{theme}-{width}.png", full_page=True)
            overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            for fault in [*faults, *([f"{overflow} px wider than the window"] if overflow > 0 else [])]:
                print(f"{name} {path} ({theme}, {width}): {fault}")
        context.close()


def main() -> None:
    from django.conf import settings

    base = os.environ.get("KINETOSCOPE_URL", "http://127.0.0.1:8000").rstrip("/")
    kept = Path(settings.DATA_DIR) / "admin-password.txt"
    password = os.environ.get("KINETOSCOPE_ADMIN_PASSWORD") or (kept.read_text().strip() if kept.exists() else "")
    if not password or chromium_path() is None:
        sys.exit("Needs KINETOSCOPE_ADMIN_PASSWORD (or data/admin-password.txt of a running demo) and Chromium.")
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        photograph(browser, base, os.environ.get("KINETOSCOPE_ADMIN_USER", "admin"), password)
        browser.close()


if __name__ == "__main__":
    main()
