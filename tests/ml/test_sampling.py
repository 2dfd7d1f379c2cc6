from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import cast

import numpy as np
import pytest

from ml.video.sampling import (
    clip_span,
    equally_spaced_starts,
    last_start,
    middle_starts,
    segment_middles,
    segment_starts,
    snippet_indices,
    view_groups,
)

SMALL = [(n, L) for n in range(1, 31) for L in range(1, 13)]


def test_a_whole_snippet_fits_from_every_start_up_to_the_last_and_from_none_beyond() -> None:
    for n, L in SMALL:
        fitting = [start for start in range(n) if start + L <= n]
        assert last_start(n, L) == (max(fitting) if fitting else 0)


def test_equally_spaced_starts_go_from_the_first_to_the_last_in_even_steps() -> None:
    for n, L in SMALL:
        S = last_start(n, L)
        for count in range(2, 28):
            starts = equally_spaced_starts(n, L, count)
            assert len(starts) == count and starts[0] == 0 and starts[-1] == S
            assert all(abs(start - Fraction(i * S, count - 1)) <= Fraction(1, 2) for i, start in enumerate(starts))
            steps = {later - earlier for earlier, later in pairwise(starts)}
            assert max(steps) - min(steps) <= 1 and min(steps) >= 0


def test_equally_spaced_starts_round_halves_up() -> None:
    assert equally_spaced_starts(4, 1, 3) == [0, 2, 3]
    assert equally_spaced_starts(2, 1, 3) == [0, 1, 1]


def test_one_snippet_lies_in_the_middle() -> None:
    for n, L in SMALL:
        assert equally_spaced_starts(n, L, 1) == [last_start(n, L) // 2]


def test_25_frames_of_a_video_of_250() -> None:
    starts = equally_spaced_starts(250, 1, 25)
    assert starts[:4] == [0, 10, 21, 31] and starts[-1] == 249


def test_as_many_snippets_as_frames_take_each_frame_once() -> None:
    for n in range(2, 40):
        assert equally_spaced_starts(n, 1, n) == list(range(n))


class AsIf:
    """A generator whose every draw is the largest, or the smallest."""

    def __init__(self, largest: bool) -> None:
        self.largest = largest

    def integers(self, high: int) -> int:
        return high - 1 if self.largest else 0


def extreme_starts(n: int, L: int, K: int) -> list[tuple[int, int]]:
    """(smallest, largest) start of each segment."""
    draws = [segment_starts(n, L, K, cast(np.random.Generator, AsIf(largest))) for largest in (False, True)]
    return list(zip(*draws, strict=True))


def test_one_segment_is_any_place_and_no_other() -> None:
    for n, L in SMALL:
        assert extreme_starts(n, L, 1) == [(0, last_start(n, L))]
    generator = np.random.default_rng(0)
    counts = np.bincount([segment_starts(10, 4, 1, generator)[0] for _ in range(7000)], minlength=7)
    assert len(counts) == 7 and counts.min() > 850


def test_segments_are_those_of_the_authors_code_written_as_a_loop() -> None:
    """num_frames, new_length and num_segments of TSN's training sampler, from 0."""
    for n, L in SMALL:
        for K in range(1, 9):
            average = (n - L + 1) // K
            expected = []
            for k in range(K):
                if average > 0:
                    expected.append((k * average, k * average + average - 1))
                elif n > K and n > L:
                    expected.append((0, n - L))
                else:
                    expected.append((0, 0))
            assert extreme_starts(n, L, K) == expected


def test_a_video_too_short_for_the_segments_gives_its_starts_in_order() -> None:
    generator = np.random.default_rng(1)
    drawn = [segment_starts(9, 5, 6, generator) for _ in range(200)]
    assert all(starts == sorted(starts) and len(starts) == 6 for starts in drawn)
    assert {start for starts in drawn for start in starts} == {0, 1, 2, 3, 4}


def test_the_middles_of_segments_are_those_of_the_authors_code_in_exact_fractions() -> None:
    for n, L in SMALL:
        for K in range(1, 27):
            tick = Fraction(n - L + 1, K)
            expected = [int(tick / 2 + tick * k) for k in range(K)] if n > K + L - 1 else [0] * K
            assert segment_middles(n, L, K) == expected


def test_a_test_in_the_middles_of_parts_is_that_of_the_authors_code_in_exact_fractions() -> None:
    """num_frames, new_length and num_segments of TSN's test sampler, from 0; it breaks where a video is shorter than a snippet."""
    for n, L in SMALL:
        for count in (1, 2, 5, 25):
            tick = Fraction(max(n - L + 1, 1), count)
            assert middle_starts(n, L, count) == [int(tick / 2 + tick * i) for i in range(count)]


def test_clips_of_a_stride_fit_as_snippets_of_their_span_do() -> None:
    assert clip_span(1, 8) == 1 and clip_span(16, 1) == 16 and clip_span(8, 4) == 29
    for n in range(1, 40):
        for T, stride in [(4, 1), (4, 3), (8, 2), (1, 5)]:
            last = last_start(n, clip_span(T, stride))
            indices = snippet_indices(last, T, n, stride)
            assert len(indices) == T and indices == [min(last + t * stride, n - 1) for t in range(T)]
            assert indices[-1] == n - 1 or n == 1 or T == 1


def test_views_are_grouped_into_videos_with_one_of_each_part_and_none_is_left_out() -> None:
    for n in range(1, 31):
        for K in range(1, 9):
            groups = view_groups(n, K)
            counts = np.bincount([view for group in groups for view in group], minlength=n)
            assert len(groups) == -(-n // K) and all(len(group) == K and group == sorted(group) for group in groups)
            assert len(counts) == n and counts.min() >= 1
            if n >= K:
                assert counts.max() <= 2 and all(K * view // n in (k - 1, k) for group in groups for k, view in enumerate(group))


def test_where_segments_divide_the_views_each_is_taken_once_from_its_own_segment() -> None:
    assert view_groups(6, 3) == [[0, 2, 4], [1, 3, 5]]
    for K in range(1, 9):
        for G in range(1, 6):
            assert view_groups(K * G, K) == [[k * G + g for k in range(K)] for g in range(G)]
    assert view_groups(5, 5) == [[0, 1, 2, 3, 4]] and view_groups(3, 1) == [[0], [1], [2]] and view_groups(1, 3) == [[0, 0, 0]]


def test_a_snippet_is_consecutive_and_repeats_the_last_unit_of_a_short_video() -> None:
    for n, L in SMALL:
        for start in range(last_start(n, L) + 1):
            indices = snippet_indices(start, L, n)
            assert len(indices) == L and indices[0] == start and max(indices) <= n - 1
            if n >= L:
                assert indices == list(range(start, start + L))
            else:
                assert indices == list(range(n)) + [n - 1] * (L - n)


@pytest.mark.parametrize(("n", "L"), [(0, 1), (5, 0), (-1, 3)])
def test_there_is_nothing_to_sample_from_nothing(n: int, L: int) -> None:
    with pytest.raises(ValueError, match=f"got {n} and {L}"):
        last_start(n, L)


def test_no_views_are_no_video() -> None:
    with pytest.raises(ValueError, match="got 0"):
        view_groups(0, 3)


@pytest.mark.parametrize("starts", [equally_spaced_starts, segment_middles, middle_starts])
def test_no_snippets_is_no_number_of_snippets(starts: Callable[[int, int, int], list[int]]) -> None:
    with pytest.raises(ValueError, match="got 0"):
        starts(5, 1, 0)
