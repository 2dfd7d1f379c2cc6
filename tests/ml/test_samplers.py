from collections import Counter

import numpy as np
import pytest

from ml.errors import BadConfig
from ml.video.samplers import SAMPLERS, BalancedSampler, ShuffleSampler, UniformClassSampler

LABELS = np.array([0] * 50 + [2] * 5 + [5] * 2)


def test_uniform_classes_come_equally_often_whatever_their_size() -> None:
    draws = list(UniformClassSampler(LABELS, 6000, seed=0))
    classes = Counter(int(LABELS[draw.video]) for draw in draws)
    assert set(classes) == {0, 2, 5} and all(1850 < count < 2150 for count in classes.values())
    videos = Counter(draw.video for draw in draws)
    assert (
        len(videos) == 57 and all(900 < videos[video] < 1100 for video in (55, 56)) and all(20 < videos[video] < 65 for video in range(50))
    )


def test_a_shuffle_takes_every_video_once_before_any_twice() -> None:
    videos = [draw.video for draw in ShuffleSampler(LABELS, 140, seed=0)]
    assert sorted(videos[:57]) == sorted(videos[57:114]) == list(range(57))
    assert videos[:57] != videos[57:114] and len(set(videos[114:])) == 26


@pytest.mark.parametrize("name", SAMPLERS)
def test_an_epoch_entered_in_the_middle_goes_on_as_if_it_had_not_stopped(name: str) -> None:
    sampler = SAMPLERS[name](LABELS, 40, seed=9, batch_size=8)
    sampler.go_to(4)
    whole = list(sampler)
    assert len(sampler) == 40
    resumed = SAMPLERS[name](LABELS, 40, seed=9, batch_size=8)
    resumed.go_to(4, start=13)
    assert len(resumed) == 27 and list(resumed) == whole[13:]
    resumed.go_to(5)
    assert [draw.video for draw in resumed] != [draw.video for draw in whole]


@pytest.mark.parametrize("name", SAMPLERS)
def test_no_number_of_draws_means_one_pass(name: str) -> None:
    assert len(list(SAMPLERS[name](LABELS, 0, seed=0, batch_size=8))) == 57


@pytest.mark.parametrize("name", SAMPLERS)
def test_no_training_video_is_said_at_once(name: str) -> None:
    with pytest.raises(BadConfig, match="no training video"):
        SAMPLERS[name](LABELS[:0], 5, seed=0)


def batches_of(labels: np.ndarray, num_draws: int, batch_size: int) -> list[list[int]]:
    videos = [draw.video for draw in BalancedSampler(labels, num_draws, seed=1, batch_size=batch_size)]
    return [videos[first : first + batch_size] for first in range(0, num_draws, batch_size)]


@pytest.mark.parametrize("batch_size", [4, 5, 8, 13, 21])
def test_every_video_of_a_balanced_batch_meets_another_of_its_class_and_one_of_another(batch_size: int) -> None:
    labels = np.repeat(np.arange(9), [2, 3, 4, 5, 6, 7, 8, 9, 40])
    for batch in batches_of(labels, 20 * batch_size, batch_size):
        counts = Counter(labels[batch].tolist())
        assert len(batch) == batch_size and len(counts) == min(9, batch_size // 2)
        assert max(counts.values()) - min(counts.values()) <= 1 and min(counts.values()) >= 2
        for label, count in counts.items():
            assert len({video for video in batch if labels[video] == label}) == min(count, (labels == label).sum())


def test_balanced_batches_take_every_class_equally_often_and_every_video_of_it() -> None:
    videos = np.concatenate(batches_of(LABELS, 4800, 4))
    classes = Counter(LABELS[videos].tolist())
    assert set(classes) == {0, 2, 5} and all(1400 < count < 1800 for count in classes.values())
    assert len(set(videos.tolist())) == 57


@pytest.mark.parametrize(
    ("labels", "batch_size", "message"),
    [
        ([0, 0, 1, 1, 2], 4, "1 of 3 classes have a single training video"),
        ([3, 3, 3], 4, "of one class"),
        ([0, 0, 1, 1], 3, "batch of 3 videos has no two pairs"),
    ],
)
def test_a_balanced_batch_that_cannot_be_says_why_and_what_to_do(labels: list[int], batch_size: int, message: str) -> None:
    with pytest.raises(BadConfig, match=message) as caught:
        BalancedSampler(np.array(labels), 12, seed=0, batch_size=batch_size)
    assert "at least 4" in caught.value.advice or "two videos of each" in caught.value.advice
