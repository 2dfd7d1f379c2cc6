"""Where snippets start: integer functions of the number of units in a pack, with no video and no network.

A unit is what a pack holds: frames for RGB, flow fields for flow. A snippet of length L that starts at s covers s .. s + L - 1.
A pack shorter than L has the one start 0, and its last unit is repeated.
"""

from collections.abc import Callable

import numpy as np


def last_start(num_units: int, snippet_len: int) -> int:
    """The last start at which a whole snippet fits: max(num_units - L, 0).

    Raises:
        ValueError: there is nothing to sample from.
    """
    if num_units < 1 or snippet_len < 1:
        raise ValueError(f"expected at least one unit and a length of at least 1, got {num_units} and {snippet_len}")
    return max(num_units - snippet_len, 0)


def segment_starts(num_units: int, snippet_len: int, num_segments: int, generator: np.random.Generator) -> list[int]:
    """One random snippet of each of K equal segments, as TSN trains (Wang et al. 2016); K = 1 is uniform on 0 .. last_start.

    start_k = k l + u_k with u_k uniform on 0 .. l - 1 and l = floor((N - L + 1) / K). As in the authors' code, a video too short for
    that gives K random starts in order, and one of no more than K units its first snippet K times.
    """
    K, num_starts = _counted(num_segments), last_start(num_units, snippet_len) + 1
    segment_len = num_starts // K
    if segment_len:
        return [k * segment_len + int(generator.integers(segment_len)) for k in range(K)]
    if num_units > K:
        return sorted(int(generator.integers(num_starts)) for _ in range(K))
    return [0] * K


def segment_middles(num_units: int, snippet_len: int, num_segments: int) -> list[int]:
    """The snippet in the middle of each of K equal segments, as TSN validates.

    start_k = floor((k + 1/2) (N - L + 1) / K); as in the authors' code, a video of no more than K starts gives its first snippet K times.
    """
    K, num_starts = _counted(num_segments), last_start(num_units, snippet_len) + 1
    return middle_starts(num_units, snippet_len, K) if num_starts > K else [0] * K


def middle_starts(num_units: int, snippet_len: int, num_snippets: int) -> list[int]:
    """The same for the test, where the authors' code makes no exception: a short video gives the same start more than once, in order."""
    n, num_starts = _counted(num_snippets), last_start(num_units, snippet_len) + 1
    return [(2 * i + 1) * num_starts // (2 * n) for i in range(n)]


def equally_spaced_starts(num_units: int, snippet_len: int, num_snippets: int) -> list[int]:
    """`num_snippets` starts from the first to the last (Simonyan & Zisserman 2014, section 4: "equal temporal spacing").

    start_i = round(i S / (n - 1)), halves up, with S = last_start and i = 0 .. n - 1; one snippet lies in the middle, S // 2.
    A short video gives the same start more than once, so that each video has n.
    """
    S, gaps = last_start(num_units, snippet_len), _counted(num_snippets) - 1
    if gaps == 0:
        return [S // 2]
    return [(2 * i * S + gaps) // (2 * gaps) for i in range(num_snippets)]


VIEW_STARTS: dict[str, Callable[[int, int, int], list[int]]] = {"spread": equally_spaced_starts, "middles": middle_starts}
"""By what `Protocol.sampling` says."""


def view_groups(num_views: int, num_segments: int) -> list[list[int]]:
    """Equally spaced views → videos of K segments, each of one view from every K-th part of them: what a test shows a network that was
    trained on K snippets and does not average them.

    With G = ceil(n / K) videos, the k-th segment of the g-th is view floor((k G + g) n / (G K)): every view once where K divides n,
    else G K − n of them twice; fewer than K views repeat within one video. K = 1 is every view by itself.
    """
    K, G = num_segments, -(-_counted(num_views) // _counted(num_segments))
    return [[(k * G + g) * num_views // (G * K) for k in range(K)] for g in range(G)]


def snippet_indices(start: int, snippet_len: int, num_units: int, stride: int = 1) -> list[int]:
    """The units of one snippet, `stride` apart; beyond the end the last one is repeated."""
    return [min(start + k * stride, num_units - 1) for k in range(snippet_len)]


def clip_span(clip_len: int, frame_stride: int) -> int:
    """Units from the first to the last of T frames at a stride, both included: the length with which starts of clips are drawn."""
    return (clip_len - 1) * frame_stride + 1


def _counted(num_snippets: int) -> int:
    if num_snippets < 1:
        raise ValueError(f"expected at least one snippet, got {num_snippets}")
    return num_snippets
