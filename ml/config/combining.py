"""Two datasets as one: which classes of the second join the first, and what their names say of that."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ml.config.schema import Schema

Shared = Literal["left_out", "joined"]
"""What becomes of a class that both datasets have: its videos are left out, as in the two-stream paper, or join the other's."""

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_VOWEL = re.compile(r"[aeiouy]")


class ClassMap(Schema):
    """Class of the second dataset → the class that its videos go to: one of the first dataset's, or a new one; empty: left out."""

    classes: dict[str, str]

    def added(self, first: Iterable[str]) -> list[str]:
        """The new classes, each once, in the order of the map."""
        known = {"", *first}
        return [name for name in dict.fromkeys(self.classes.values()) if name not in known]

    def joined(self, first: Iterable[str]) -> dict[str, str]:
        """Classes of the second dataset whose videos join one of the first."""
        known = set(first)
        return {name: target for name, target in self.classes.items() if target in known}


@dataclass(frozen=True)
class Likeness:
    """A class with a like name. `same`: the same words; otherwise one name has all words of the other, and maybe more than that."""

    name: str
    is_same: bool


def likeness(name: str, others: Sequence[str]) -> Likeness | None:
    """The class whose name says that it may be the same one; the same words before some of them, more words before fewer."""
    words = words_of(name)
    ranks = {other: _rank(words, words_of(other)) for other in others}
    best = max(ranks, key=ranks.__getitem__, default="")
    return Likeness(best, ranks[best] == _SAME) if ranks.get(best) else None


_SAME = 1000


def _rank(words: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How much two names say that they mean the same; 0: nothing."""
    if not words or not other:
        return 0
    if set(words) == set(other) or "".join(words) == "".join(other):
        return _SAME
    shared = set(words) & set(other)
    return len(shared) if shared in (set(words), set(other)) else 0


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """A class name as words that can be compared: `HorseRiding` → hors rid, `ride_horse` → rid hors. A name of signs alone has none."""
    parted = _WORD_BEGINS.sub(" ", unicodedata.normalize("NFKC", name))
    return tuple(_stem(word) for word in re.split(r"[\W_]+", parted.casefold()) if word)


def _stem(word: str) -> str:
    """An English word without the endings of activities and plurals; letters of other scripts stay."""
    if word.endswith("s") and not word.endswith("ss") and len(word) > 2:
        word = word[:-1]
    root = word.removesuffix("ing")
    if root != word and len(root) > 1 and _VOWEL.search(root):
        return root[:-1] if root[-1] == root[-2] and root[-1] not in "lsz" else root.removesuffix("e")
    return word[:-1] if word.endswith("e") and len(word) > 2 else word


def propose(first: Sequence[str], second: Sequence[str], shared: Shared = "left_out") -> ClassMap:
    """What the names alone say: a class without a like name is added; the others are `shared`, where it is not certain left out."""
    return ClassMap(classes={name: _target(name, likeness(name, first), shared) for name in second})


def _target(name: str, like: Likeness | None, shared: Shared) -> str:
    if like is None:
        return name
    return like.name if like.is_same and shared == "joined" else ""
