"""A part of a dataset, for one of several processes or machines that extract its flow together."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ml.config.data import VideoEntry
from ml.errors import BadConfig


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count` about equal ones, counted from 1; by itself it is the whole."""

    number: int = 1
    count: int = 1

    def of(self, videos: Iterable[VideoEntry]) -> list[VideoEntry]:
        """This part's videos. Those of one content are always in one part: no two parts make the same file."""
        videos = list(videos)
        contents = set(sorted({video.media for video in videos})[self.number - 1 :: self.count])
        return [video for video in videos if video.media in contents]


WHOLE = Shard()


def parse_shard(text: str) -> Shard:
    """`2/8`: the second of eight.

    Raises:
        BadConfig: it is no such pair of numbers.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", text)
    if match is None or int(match[1]) > int(match[2]):
        raise BadConfig("“{text}” is no part of a dataset", "Write it as 2/8: the second of eight parts.", text=text)
    return Shard(int(match[1]), int(match[2]))
