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


def color_of(position: int) -> str:
    """The colour of the row at this place, the same every time."""
    return CYCLE[position % len(CYCLE)]
