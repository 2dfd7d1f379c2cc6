"""Shares as people read them."""

ENOUGH_FOR_DECIMALS = 100
"""Of fewer videos, one is more than a percent: a decimal would promise what nobody measured."""


def decimals(count: int | None = None) -> int:
    """Of the percentage of so many videos. A probability, and a number of a paper, is of no count: it has one."""
    return 0 if count is not None and count < ENOUGH_FOR_DECIMALS else 1


def percentage(fraction: float, count: int | None = None) -> str:
    """0.8731 → `87.3`; of fewer than a hundred videos `87`."""
    return f"{100 * fraction:.{decimals(count)}f}"


def share_of(fraction: float | None, count: int | None = None) -> str:
    """`87.3 %`, or a dash where there is nothing to share."""
    return "–" if fraction is None else in_percent(fraction, count)


def in_percent(fraction: float, count: int | None = None) -> str:
    """0.8731 → `87.3 %`, or `87 %`. A line never ends before the sign."""
    return f"{percentage(fraction, count)}\u00a0%"
