"""Score files made up for tests: random scores that lean towards the truth."""

from typing import Any

import numpy as np

from ml.evaluation.scores import Scores


def made_up(num_videos: int = 24, num_classes: int = 3, seed: int = 0, lean: float = 1.0, first: int = 0, **about: Any) -> Scores:
    """`lean` is added to the score of the true class; videos are numbered from `first`; two neighbours share a group."""
    random = np.random.default_rng(seed)
    labels = np.arange(num_videos, dtype=np.int64) % num_classes
    scores = random.normal(size=(num_videos, num_classes)).astype(np.float32)
    scores[np.arange(num_videos), labels] += lean
    numbers = np.arange(first, first + num_videos)
    stands = {"short": "25x10", "description": "25 frames × 10 crops", "subset": "test", "split": "1", "modality": "rgb"}
    return Scores(
        scores,
        labels,
        videos=np.array([f"video{number:03}" for number in numbers]),
        groups=np.array([f"g{number // (2 * num_classes):02}" for number in numbers]),
        classes=np.array([f"class{index}" for index in range(num_classes)]),
        about={**stands, **about},
    )
