"""Training groups dealt out to folds: every group once, classes even, the same for every run."""

from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.model_selection import StratifiedGroupKFold

from ml.config.data import VideoEntry
from ml.config.experiment import FOLDS, ExperimentConfig
from ml.errors import BadConfig
from ml.video.folds import group_folds
from ml.video.subsets import group_of, subset_videos
from tests.ml.packed import entry, manifest_of

VIDEOS = [entry(number, "abc"[number % 3], f"g{number // 4:02}") for number in range(120)]
MANIFEST = manifest_of(VIDEOS, {video.key: "test" if number >= 100 else "train" for number, video in enumerate(VIDEOS)})


def parts(fold: int, folds: int = 5, seed: int = 0) -> tuple[list[VideoEntry], list[VideoEntry]]:
    train, validation = (subset_videos(MANIFEST, "1", subset, 0.3, seed, (fold, folds)) for subset in ("train", "validation"))
    return train, validation


def test_every_training_video_is_held_out_once_and_never_beside_its_group() -> None:
    held_out = []
    for fold in range(1, 6):
        train, validation = parts(fold)
        assert not {group_of(video) for video in train} & {group_of(video) for video in validation}
        assert len(train) + len(validation) == 100
        held_out += validation
    assert Counter(video.key for video in held_out) == Counter(video.key for video in VIDEOS[:100])


def test_folds_do_not_depend_on_the_seed_and_leave_the_test_alone() -> None:
    assert parts(2, seed=0) == parts(2, seed=7)
    assert subset_videos(MANIFEST, "1", "test", 0.3, 0, (2, 5)) == VIDEOS[100:]


def test_a_split_with_its_own_validation_has_its_training_videos_dealt_out() -> None:
    subsets = {video.key: "validation" if number < 4 else "train" for number, video in enumerate(VIDEOS[:40])}
    manifest = manifest_of(VIDEOS[:40], subsets)
    held_out = [video.key for fold in (1, 2, 3) for video in subset_videos(manifest, "1", "validation", held_out_fold=(fold, 3))]
    assert sorted(held_out) == sorted(video.key for video in VIDEOS[4:40])


@pytest.mark.parametrize("seed", range(5))
def test_classes_are_as_even_as_by_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    group, label = random.integers(0, 40, 300), random.integers(0, 4, 300)
    groups = {f"{g}": Counter(map(str, label[group == g])) for g in np.unique(group)}

    def spread(folds: list[Counter[str]]) -> float:
        return max(float(np.ptp([fold[name] for fold in folds])) for name in "0123")

    ours = [sum((groups[name] for name in fold), Counter[str]()) for fold in group_folds(groups, 5)]
    theirs = [Counter(map(str, label[held])) for _, held in StratifiedGroupKFold(5).split(label, label, group)]
    assert spread(ours) <= spread(theirs) + 2


def test_the_last_groups_of_a_class_are_in_no_fold() -> None:
    groups = {"x": Counter(a=2), "y": Counter(a=2), "z": Counter(b=3)}
    assert sorted(map(sorted, group_folds(groups, 2))) == [["x"], ["y"]]


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(BadConfig, match="do not fill 20 folds") as caught:
        subset_videos(manifest_of(VIDEOS[:12], {video.key: "train" for video in VIDEOS[:12]}), "1", "train", held_out_fold=(20, 20))
    assert "fewer folds" in caught.value.advice


def test_the_runs_of_all_folds_differ_in_nothing_else() -> None:
    config = ExperimentConfig()
    runs = config.fold_runs(3)
    assert [run.data.held_out_fold for run in runs] == [(1, 3), (2, 3), (3, 3)]
    assert {run.replace(data=config.data).spec_id() for run in runs} == {config.spec_id()}


@pytest.mark.parametrize(("fold", "folds"), [(1, 1), (3, 2)])
def test_a_fold_that_there_is_not_is_refused(fold: int, folds: int) -> None:
    data = ExperimentConfig().data.replace(validation_fold=fold, validation_folds=folds)
    with pytest.raises(ValidationError, match=FOLDS.message):
        ExperimentConfig(data=data)
