"""The classes with the lowest recall, and what each stream takes them for."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.experiments.models import Evaluation
from webapp.experiments.results import ClassResult, ConfusedPair, Results

LONGEST = 8
MOST_PAIRS = 3


@dataclass(frozen=True)
class Answer:
    """What one evaluation makes of the videos of a class: how many are right, and the classes that most others are taken for."""

    column: str
    evaluation: Evaluation
    result: ClassResult
    taken_for: tuple[ConfusedPair, ...]


@dataclass(frozen=True)
class WorstClass:
    """A class with the answers of each column."""

    index: int
    name: str
    support: int
    answers: tuple[Answer, ...]


def worst_by_column(columns: Sequence[tuple[str, Evaluation, Results]]) -> list[WorstClass]:
    """The worst classes of the last column that has mistakes there, as all columns see them."""
    wrong = [row for row in columns[-1][2].classes if row.correct < row.support]
    worst = sorted(wrong, key=lambda row: (row.correct / row.support, row.name))[:LONGEST]
    return [WorstClass(row.index, row.name, row.support, tuple(_answer(*column, row.index) for column in columns)) for row in worst]


def _answer(column: str, evaluation: Evaluation, results: Results, index: int) -> Answer:
    others = sorted(
        ((count, j) for j, count in enumerate(results.confusion[index]) if count and j != index), key=lambda pair: (-pair[0], pair[1])
    )
    label = results.classes[index]
    pairs = (ConfusedPair(label, results.classes[j], count, count / label.support) for count, j in others[:MOST_PAIRS])
    return Answer(column, evaluation, label, tuple(pairs))
