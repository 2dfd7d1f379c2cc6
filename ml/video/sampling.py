"""Where snippets start: integer functions of the number of units in a pack, with no video and no network.

A unit is what a pack holds: frames for RGB, flow fields for flow. A snippet of length L that starts at s covers s .. s + L - 1.
A pack shorter than L has the one start 0, and its last unit is repeated.
"""

import numpy as np


def last_start(num_units: int, snippet_len: int) -> int:
    """The last start at which a whole snippet fits: max(num_units - L, 0).

    Raises:
        ValueError: there is nothing to sample from.
    """
    if num_units < 1 or snippet_len < 1:
        raise ValueError(f"expected at least one unit and a length of at least 1, got {num_units} and {snippet_len}")
    return max(num_units - snippet_len, 0)


def random_start(num_units: int, snippet_len: int, generator: np.random.Generator) -> int:
    """Uniform on 0 .. last_start."""
    return int(generator.integers(last_start(num_units, snippet_len) + 1))


def equally_spaced_starts(num_units: int, snippet_len: int, num_snippets: int) -> list[int]:
    """`num_snippets` starts from the first to the last (Simonyan & Zisserman 2014, section 4: "equal temporal spacing").

    start_i = round(i S / (n - 1)), halves up, with S = last_start and i = 0 .. n - 1; one snippet lies in the middle, S // 2.
    A short video gives the same start more than once, so that each video has n.
    """
    if num_snippets < 1:
        raise ValueError(f"expected at least one snippet, got {num_snippets}")
    S = last_start(num_units, snippet_len)
    if num_snippets == 1:
        return [S // 2]
    gaps = num_snippets - 1
    return [(2 * i * S + gaps) // (2 * gaps) for i in range(num_snippets)]


def snippet_indices(start: int, snippet_len: int, num_units: int) -> list[int]:
    """The units of one snippet; beyond the end the last one is repeated."""
    return [min(start + k, num_units - 1) for k in range(snippet_len)]
