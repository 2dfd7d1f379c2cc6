"""What is said of where videos lie: definitions beside the numbers, when two classes are too near, the map that can be asked for."""

from collections.abc import Mapping
from typing import Any

from ml.config.schema import Schema, knob

VERSION = 2
"""Of `embedding.json`. What an earlier one says is said anew from the embeddings themselves."""

TOO_NEAR_SHARE = 0.1
TOO_NEAR_VIDEOS = 2
"""One video among those of another class is an outlier, not two classes that run into each other."""

FEW_VIDEOS = 20
"""Of two classes; fewer cannot carry such a verdict."""

LEAST_VIDEOS = 10
"""Fewer have no neighbourhoods that UMAP could keep together."""

EMBEDDING_DEFINITIONS = {
    "recall_at_1": "share of videos whose nearest other video is of their class",
    "recall_at_5": "share of videos that have one of their class among the 5 nearest others",
    "map_at_r": "for a video with R others of its class: the precisions at every right one of its R nearest, summed and divided by R; "
    "mean over videos (Musgrave et al. 2020)",
    "nmi": "mutual information of the classes and of as many k-means clusters (one seeded start), divided by the mean of their entropies",
    "ratio": "distance of the means of two classes, divided by the mean distance of their videos to the mean of their own class",
    "too_near": f"at least {100 * TOO_NEAR_SHARE:g} %, and {TOO_NEAR_VIDEOS} or more, of the videos of two classes have their nearest "
    "neighbour in the other class",
}
SPACES = {
    "metric": "embedding of the metric branch",
    "features": "features before the last layer",
}


class ClassPair(Schema):
    """Two classes by index (a < b) and name.

    `ratio` = `distance` of their means / `spread`, the mean of both classes' mean distance of a video from its class's mean.
    `mixed`: how many of their `videos` have their nearest neighbour in the other class.
    """

    a: int
    b: int
    name_a: str
    name_b: str
    ratio: float
    distance: float
    spread: float
    mixed: int
    videos: int

    @property
    def share(self) -> float:
        """0 of classes that lie apart; about a half of two that are one cloud, if no third is there."""
        return self.mixed / self.videos

    @property
    def is_too_near(self) -> bool:
        return self.mixed >= TOO_NEAR_VIDEOS and self.share >= TOO_NEAR_SHARE

    @property
    def has_few_videos(self) -> bool:
        """One clip more or less would change much."""
        return self.videos < FEW_VIDEOS


class UmapConfig(Schema):
    """A map that keeps neighbours together."""

    neighbors: int = knob(
        15,
        "Neighbours",
        "Videos in a neighbourhood, the video itself among them: few show detail, many the shape of the whole.",
        ge=2,
        le=200,
    )
    seed: int = knob(0, "Seed", "The same seed gives the same map.", ge=0, le=2**31 - 1)


def can_draw_umap(facts: Mapping[str, Any]) -> bool:
    """Whether there are neighbourhoods to keep together.

    Args:
        facts: of `embedding.json`.
    """
    return facts["videos"] >= LEAST_VIDEOS and not facts["all_equal"]
