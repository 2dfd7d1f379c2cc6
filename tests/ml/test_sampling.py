from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from ml.video.sampling import equally_spaced_starts, last_start, random_start, snippet_indices

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


def test_random_starts_reach_every_place_and_no_other() -> None:
    for n, L in SMALL:
        generator = np.random.default_rng(n * 100 + L)
        drawn = [random_start(n, L, generator) for _ in range(20 * (last_start(n, L) + 1))]
        assert min(drawn) >= 0 and max(drawn) <= last_start(n, L)
    generator = np.random.default_rng(0)
    counts = np.bincount([random_start(10, 4, generator) for _ in range(7000)], minlength=7)
    assert len(counts) == 7 and counts.min() > 850


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


def test_no_snippets_is_no_number_of_snippets() -> None:
    with pytest.raises(ValueError, match="got 0"):
        equally_spaced_starts(5, 1, 0)
