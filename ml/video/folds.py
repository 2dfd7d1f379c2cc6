"""Groups of videos dealt out to K folds of about equal size, every class evenly: what one run holds out, K − 1 others train on."""

from collections import Counter
from collections.abc import Mapping

Groups = Mapping[str, Counter[str]]
"""By name: how many videos of each class."""


def group_folds(groups: Groups, num_folds: int) -> list[set[str]]:
    """The names in each fold: the same for the same groups, whatever the seed of a run.

    The largest group first, each goes where it adds least to Σ_classes n² / N, n a fold's videos of a class and N all of them. No fold
    takes the last groups of a class, which a run without that fold could not learn: they are in none.
    """
    total = sum(groups.values(), Counter[str]())
    filled = [Counter[str]() for _ in range(num_folds)]
    folds: list[set[str]] = [set() for _ in range(num_folds)]
    for name in sorted(groups, key=lambda name: (-groups[name].total(), name)):
        added = groups[name]
        open_folds = [k for k in range(num_folds) if all(filled[k][label] + count < total[label] for label, count in added.items())]
        if open_folds:
            fold = min(open_folds, key=lambda k: (_growth(filled[k], added, total), filled[k].total()))
            folds[fold].add(name)
            filled[fold] += added
    return folds


def _growth(filled: Counter[str], added: Counter[str], total: Counter[str]) -> float:
    return sum(((filled[label] + count) ** 2 - filled[label] ** 2) / total[label] for label, count in added.items())
