"""A split of our own into train and test: whole groups, every class in both as far as groups permit, the same for the same seed."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ml.config.data import Subset


@dataclass(frozen=True)
class Clip:
    """What a split needs to know of a video. Equal non-empty `group`s, and equal non-empty `media`, belong together."""

    key: str
    label: str
    group: str = ""
    media: str = ""


def generate_split(clips: Sequence[Clip], test_fraction: float, seed: int) -> dict[str, Subset]:
    """Key → train or test, about `test_fraction` of each class in test."""
    blocks = _blocks(clips)
    random.Random(seed).shuffle(blocks)
    total = Counter(clip.label for clip in clips)
    target = {label: test_fraction * count for label, count in total.items()}
    tested: Counter[str] = Counter()
    chosen: list[bool] = []
    for block in blocks:
        added = Counter(clip.label for clip in block)
        chosen.append(_brings_closer(added, tested, target) and _leaves_some(added, tested, total))
        tested += added if chosen[-1] else Counter()
    if test_fraction > 0:
        _serve_untested(blocks, chosen, total)
    return {clip.key: "test" if is_test else "train" for block, is_test in zip(blocks, chosen, strict=True) for clip in block}


def _blocks(clips: Sequence[Clip]) -> list[list[Clip]]:
    """Connected components: clips that share a group or their content, directly or through others."""
    parent = list(range(len(clips)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, clip in enumerate(clips):
        for tie in (("group", clip.group), ("media", clip.media)):
            if tie[1]:
                parent[root(index)] = root(first.setdefault(tie, index))
    blocks: dict[int, list[Clip]] = {}
    for index, clip in enumerate(clips):
        blocks.setdefault(root(index), []).append(clip)
    return list(blocks.values())


def _brings_closer(added: Counter[str], tested: Counter[str], target: dict[str, float]) -> bool:
    """Is Σ (target − tested)² over the classes smaller with this block in test than without?"""
    return sum((target[c] - tested[c] - n) ** 2 - (target[c] - tested[c]) ** 2 for c, n in added.items()) < 0


def _leaves_some(added: Counter[str], tested: Counter[str], total: Counter[str]) -> bool:
    return all(tested[label] + count < total[label] for label, count in added.items())


def _serve_untested(blocks: list[list[Clip]], chosen: list[bool], total: Counter[str]) -> None:
    """A class without a test video gets its smallest block into test, unless that would empty a training class."""
    tested: Counter[str] = Counter(clip.label for block, is_test in zip(blocks, chosen, strict=True) if is_test for clip in block)
    order = sorted(range(len(blocks)), key=lambda index: len(blocks[index]))
    for label in sorted(total):
        for index in order if not tested[label] else ():
            added = Counter(clip.label for clip in blocks[index])
            if added[label] and _leaves_some(added, tested, total):
                chosen[index] = True
                tested += added
                break
