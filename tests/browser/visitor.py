"""Somebody at the site, page by page. A step ends when the page itself shows that it is done; nothing is loaded again by hand."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

PICTURES = os.environ.get("KINETOSCOPE_PICTURES", "")
"""A folder for a picture of every step; empty: none."""

CENTRE_OF_CELL = """([row, column]) => {
  const chart = document.querySelector("[data-cells]"), { xaxis, yaxis } = chart._fullLayout, box = chart.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.c2p(column), box.top + yaxis._offset + yaxis.c2p(row)];
}"""


def unfold(page: Page) -> None:
    """Open what a form folds away."""
    for details in page.locator("details.folded:visible").all():
        if details.get_attribute("open") is None:
            details.locator("> summary").click()


@dataclass
class Visitor:
    """`patience`: seconds that anything may take to appear."""

    page: Page
    url: str
    patience: float

    def see(self, name: str) -> None:
        """Take a picture where somebody asked for them."""
        if PICTURES:
            self.page.wait_for_timeout(500)  # charts and posters
            self.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)

    def waits_for(self, what: Locator | str | re.Pattern[str]) -> None:
        """Something to be seen: an element, or words."""
        found = what if isinstance(what, Locator) else self.page.get_by_text(what)
        expect(found.first).to_be_visible(timeout=1000 * self.patience)

    def sign_in(self, username: str, password: str) -> None:
        self.page.goto(self.url)
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.press("Log in")
        self.waits_for(self.page.get_by_role("heading", name="Home"))

    def goes_to(self, place: str) -> None:
        """By the navigation that every page has."""
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=place).click()

    def follows(self, link: str) -> None:
        """The first link of that name on the page."""
        self.page.get_by_role("main").get_by_role("link", name=link).first.click()

    def press(self, button: str) -> None:
        self.page.get_by_role("main").get_by_role("button", name=button, exact=True).click()

    def fill(self, settings: Mapping[str, str]) -> None:
        """Fields of a form by their name: typed into, or chosen from. A choice first, since it shows the fields it needs."""
        for name, value in settings.items():
            unfold(self.page)
            field = self.page.locator(f"[name='{name}']")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)

    def upload(self, *files: Path) -> None:
        self.page.set_input_files("input[type=file]", files)
        expect(self.page.locator("[data-status]").last).to_contain_text("complete", timeout=1000 * self.patience)

    def table(self, heading: str) -> dict[str, list[str]]:
        """The table under a heading: first cell → the others."""
        rows = self.page.locator("section", has=self.page.get_by_role("heading", name=heading, exact=True)).locator("tbody tr")
        lines = [[" ".join(cell.split()) for cell in row.locator("td").all_text_contents()] for row in rows.all()]
        return {first: rest for first, *rest in lines}

    def stat(self, title: str) -> str:
        """A number that stands large at the head of a page, by the words under it."""
        stat = self.page.locator(".stat", has=self.page.locator("span", has_text=re.compile(rf"^{title}")))
        return " ".join(stat.locator("b").inner_text().split())

    def figure(self, name: str) -> dict[str, Any]:
        """What the page gives Plotly to draw."""
        found: dict[str, Any] = json.loads(self.page.locator(f"script#{name}").text_content() or "")
        return found

    def clicks_bar(self, chart: str, number: int) -> None:
        """The middle of a bar; Plotly listens on a layer above the bars."""
        bar = self.page.locator(f"[data-chart='{chart}'] .bars .point").nth(number)
        bar.scroll_into_view_if_needed()
        box = bar.bounding_box()
        assert box is not None
        self.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def clicks_cell(self, row: int, column: int) -> None:
        """A cell of the confusion matrix."""
        self.page.locator("[data-cells]").scroll_into_view_if_needed()
        self.page.mouse.click(*self.page.evaluate(CENTRE_OF_CELL, [row, column]))
