"""Shares as people read them."""

ENOUGH_FOR_DECIMALS = 100
"""Of fewer videos, one is more than a percent: a decimal would promise what nobody measured."""


def in_percent(fraction: float, count: int | None = None) -> str:
    """0.8731 → `87.3 %`; of fewer than a hundred videos `87 %`. A line never ends before the sign."""
    decimals = 0 if count is not None and count < ENOUGH_FOR_DECIMALS else 1
    return f"{100 * fraction:.{decimals}f}\u00a0%"
