"""Protocols in words."""

import pytest

from ml.config.evaluation import FusionConfig, Protocol
from ml.evaluation.fusion import describe, how_tested
from ml.evaluation.protocol import described
from ml.words import Words, joined, packed
from webapp import words
from webapp.experiments.results import protocol_text
from webapp.protocols import views_of


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ("5x1", "5 frames × 1 crop"), ("1x10:logits:middles", "1 frame × 10 crops"), ("25xfull", "25 whole frames"),
        ("25x10 + 5x1", "25 frames × 10 crops + 5 frames × 1 crop"), ("5x1 + 5x1:logits", "5 frames × 1 crop"), ("?", "?"),
    ],
)  # fmt: skip
def test_what_a_test_looks_at_is_counted_in_words(short: str, words: str) -> None:
    assert views_of(short) == words


def shown(description: object) -> str:
    """As a page has it of what was stored."""
    return protocol_text({"short": "?", "description": packed(description), "subset": "test", "split": "1"}).description


def test_a_description_is_translated_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    chinese = {
        "{count} frames": "{count} 帧", "{count} crop": "{count} 裁剪", "{views}, {what} averaged": "{views}，对{what}取平均", "; ": "；",
        "class probabilities": "类别概率", "head of “{dataset}”, one of {heads}": "“{dataset}”的分类头（共 {heads} 个）",
        "{streams} streams fused: average of {what}": "{streams} 个流融合：{what}的平均",
    }  # fmt: skip
    description = described(Protocol(frames=5, crops=1), 1, {"dataset": "HMDB-51", "also": ("UCF101",)})
    fused = joined([how_tested([description, description]), describe(FusionConfig(), 2)])
    assert fused == f"{description}; 2 streams fused: average of class probabilities"
    monkeypatch.setattr(words, "gettext", lambda text: chinese.get(text, text))
    assert shown(description) == "5 帧 × 1 裁剪，对类别概率取平均；“HMDB-51”的分类头（共 2 个）"
    assert shown(fused) == f"{shown(description)}；2 个流融合：类别概率的平均"


def test_streams_that_were_tested_differently_are_described_one_by_one() -> None:
    both = [Protocol(frames=5, crops=1).describe(), Protocol(frames=1, crops=1).describe()]
    assert shown(how_tested(both)) == " + ".join(both)


def test_a_description_of_an_earlier_version_is_shown_as_it_is() -> None:
    assert shown("5 frames × 1 crops, averaged") == "5 frames × 1 crops, averaged"


@pytest.mark.parametrize(
    ("short", "title"),
    [
        ("5x1", "5 × 1"), ("25x10:logits", "25 × 10, scores before softmax"), ("25xfull", "25 whole frames"),
        ("3x5:logits:middles", "3 × 5, scores before softmax, middles of equal parts"),
    ],
)  # fmt: skip
def test_a_title_names_the_protocol_without_its_code(short: str, title: str) -> None:
    assert Protocol.parse(short).title() == title and isinstance(Protocol.parse(short).title(), Words)
