"""Colours that people with any colour vision tell apart: Okabe & Ito, Color Universal Design (2008)."""

ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GRAY = "#8A8D93"

CYCLE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW)


def translucent(color: str) -> str:
    """The colour as an area on which text and whiskers can be read, on a light page and on a dark one."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return f"rgba({red}, {green}, {blue}, 0.55)"


def color_of(position: int) -> str:
    """The colour of the row at this place, the same every time."""
    return CYCLE[position % len(CYCLE)]
