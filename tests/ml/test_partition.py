from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.config.partition import Clip, generate_split

ROWS = st.tuples(st.sampled_from("ab"), st.sampled_from(["", "1", "2", "3", "4"]), st.sampled_from(["", "x", "y", "z"]))
CLIPS = st.lists(ROWS, max_size=30).map(lambda rows: [Clip(str(key), *row) for key, row in enumerate(rows)])


@given(clips=CLIPS, seed=st.integers(0, 100), fraction=st.floats(0, 0.9))
def test_no_group_and_no_content_stands_on_both_sides(clips: list[Clip], seed: int, fraction: float) -> None:
    split = generate_split(clips, fraction, seed)

    assert set(split) == {clip.key for clip in clips}
    for tie in ("group", "media"):
        sides = defaultdict(set)
        for clip in clips:
            if getattr(clip, tie):
                sides[getattr(clip, tie)].add(split[clip.key])
        assert all(len(subsets) == 1 for subsets in sides.values())


@given(clips=CLIPS, seed=st.integers(0, 100), fraction=st.floats(0, 0.9))
def test_every_class_keeps_a_training_video(clips: list[Clip], seed: int, fraction: float) -> None:
    split = generate_split(clips, fraction, seed)

    assert {clip.label for clip in clips if split[clip.key] == "train"} == {clip.label for clip in clips}


@pytest.mark.parametrize("seed", range(5))
def test_the_test_share_of_each_class_is_near_the_fraction(seed: int) -> None:
    clips = [Clip(f"{label}{group}{n}", label, f"{label}{group}") for label in "abc" for group in range(20) for n in range(4)]

    split = generate_split(clips, 0.3, seed)

    tested = Counter(clip.label for clip in clips if split[clip.key] == "test")
    assert all(abs(tested[label] / 80 - 0.3) <= 0.05 for label in "abc")


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    clips = [Clip(str(n), "ab"[n % 2]) for n in range(40)]

    assert generate_split(clips, 0.3, 1) == generate_split(clips, 0.3, 1)
    assert generate_split(clips, 0.3, 1) != generate_split(clips, 0.3, 2)


def test_a_small_class_still_gets_a_test_video() -> None:
    clips = [Clip(str(n), "large") for n in range(20)] + [Clip("s1", "small"), Clip("s2", "small")]

    split = generate_split(clips, 0.2, 0)

    assert {split["s1"], split["s2"]} == {"train", "test"}


def test_a_fraction_of_zero_tests_nothing() -> None:
    assert set(generate_split([Clip(str(n), "a") for n in range(9)], 0, 0).values()) == {"train"}
