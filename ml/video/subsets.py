"""Which videos of a dataset belong to a subset of a split; the validation videos are held out by whole groups."""

from collections import Counter, defaultdict

import numpy as np

from ml.config.data import Manifest, Split, Subset, VideoEntry
from ml.errors import BadConfig
from ml.video.folds import Groups, group_folds
from ml.words import Words

PAIR = 2


def subset_videos(
    manifest: Manifest,
    split: str,
    subset: Subset,
    validation_fraction: float = 0.0,
    seed: int = 0,
    held_out_fold: tuple[int, int] | None = None,
) -> list[VideoEntry]:
    """The videos of one subset, in the manifest's order.

    With `held_out_fold` (k, K), the training groups of the k-th of K folds become "validation". Without, a split that brings validation
    videos is taken as it is; otherwise about `validation_fraction` of the training videos are held out of "train" and become
    "validation": whole groups, each class near its share, two videos of each always left to train on; same seed, same groups.

    Raises:
        BadConfig: there is no such split, or nothing in the fold.
    """
    subsets = _split(manifest, split).subsets
    if subset == "test" or ("validation" in subsets.values() and held_out_fold is None):
        return [video for video in manifest.videos if subsets.get(video.key) == subset]
    training = [video for video in manifest.videos if subsets.get(video.key) == "train"]
    groups = _groups(training)
    held_out = _fold(groups, *held_out_fold) if held_out_fold else _held_out_groups(groups, validation_fraction, seed)
    return [video for video in training if (group_of(video) in held_out) == (subset == "validation")]


def group_of(video: VideoEntry) -> str:
    """What must stay together: the group, or the very content for a video without one."""
    return f"group {video.group}" if video.group else f"media {video.media}"


def _split(manifest: Manifest, name: str) -> Split:
    for split in manifest.splits:
        if split.name == name:
            return split
    names = ", ".join(split.name for split in manifest.splits) or Words("none")
    raise BadConfig("Dataset “{dataset}” has no split “{name}”", "Its splits: {names}.", dataset=manifest.name, name=name, names=names)


def _groups(training: list[VideoEntry]) -> Groups:
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for video in training:
        groups[group_of(video)][video.label] += 1
    return groups


def _fold(groups: Groups, fold: int, num_folds: int) -> set[str]:
    found = group_folds(groups, num_folds)[fold - 1]
    if not found:
        raise BadConfig(
            "{groups} groups of training videos do not fill {folds} folds that leave every class something to learn from",
            "Choose fewer folds, or add videos of other groups.",
            groups=len(groups),
            folds=num_folds,
        )
    return found


def _held_out_groups(groups: Groups, fraction: float, seed: int) -> set[str]:
    """Groups in random order, each taken if more than half of it is still wanted and every class keeps a pair, which metric losses need."""
    left = sum(groups.values(), Counter[str]())
    wanted = {label: fraction * count for label, count in left.items()}
    names = sorted(groups)
    held_out = set()
    for number in np.random.default_rng(seed).permutation(len(names)):
        labels = groups[names[number]]
        gain = sum(min(count, wanted[label]) for label, count in labels.items())
        if gain > labels.total() / 2 and all(left[label] - count >= PAIR for label, count in labels.items()):
            held_out.add(names[number])
            left -= labels
            wanted = {label: max(0.0, want - labels[label]) for label, want in wanted.items()}
    return held_out
