"""Protocols in words."""

import pytest

from webapp.protocols import translated_description, views_of


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ("5x1", "5 frames × 1 crop"), ("1x10:logits:middles", "1 frame × 10 crops"), ("25xfull", "25 whole frames"),
        ("25x10 + 5x1", "25 frames × 10 crops + 5 frames × 1 crop"), ("5x1 + 5x1:logits", "5 frames × 1 crop"), ("?", "?"),
    ],
)  # fmt: skip
def test_what_a_test_looks_at_is_counted_in_words(short: str, words: str) -> None:
    assert views_of(short) == words


def test_descriptions_of_earlier_versions_read_like_ours() -> None:
    earlier, ours = "5 frames × 1 crops, class probabilities averaged", "5 frames × 1 crop, class probabilities averaged"
    assert translated_description(earlier) == translated_description(f"{earlier} + {ours}") == ours
    whole = "1 whole frames, fully convolutional, scores before softmax averaged"
    assert translated_description(whole) == "1 whole frame, fully convolutional, scores before softmax averaged"
