"""Snippets of videos as a network wants them: random ones for training, equally spaced views for tests and prediction.

What a training item looks like depends on (seed, epoch, position) alone: any number of loader workers gives the same numbers,
and a sampler that is set to a position in the middle of an epoch goes on as if it had never stopped.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from ml.config.data import DataConfig, Manifest, VideoEntry
from ml.config.evaluation import Protocol
from ml.errors import BadConfig
from ml.video.arrays import Floats
from ml.video.manifest import store_of
from ml.video.modality import Pack, modality_of
from ml.video.multiscale import WINDOWS, Window, cut
from ml.video.samplers import SAMPLERS, Draw, ShuffleSampler, UniformClassSampler
from ml.video.sampling import VIEW_STARTS, segment_middles, segment_starts, snippet_indices, view_groups
from ml.video.subsets import subset_videos
from ml.video.transforms import centre_corner, centre_crop, five_crops

__all__ = [
    "SAMPLERS",
    "Draw",
    "MiddleViews",
    "ShuffleSampler",
    "SnippetReader",
    "TrainingDataset",
    "UniformClassSampler",
    "iter_views",
    "label_indices",
    "read_views",
    "subset_videos",
]

_WHEN, _WHERE = 1, 3  # streams of random numbers; the order of the draws is another one


class SnippetReader:
    """Reads snippets of the videos of one dataset; holds paths and specs only, so that loader workers share nothing that grows.

    Raises:
        BadConfig: the crop is larger than the rescaled picture.
    """

    def __init__(self, folder: Path, manifest: Manifest, data: DataConfig) -> None:
        if data.crop_size > data.short_side:
            raise BadConfig(
                "The crop ({crop} px) is larger than the rescaled short side ({side} px)",
                "Choose a smaller crop or a larger short side.",
                crop=data.crop_size,
                side=data.short_side,
            )
        self._store = store_of(folder, manifest)
        self._frame_spec = manifest.frame_spec
        self._data = data

    def open(self, media: str, name: str = "") -> Pack:
        """The pack of one video; `name` is for messages.

        Raises:
            MissingFlow: nobody has extracted this flow.
            BadPack: the pack is damaged or has another spec.
        """
        return modality_of(self._data.input).open_pack(self._store, media, name or media, self._frame_spec, self._data.input)

    def training_item(self, media: str, name: str, when: np.random.Generator, where: np.random.Generator) -> Floats:
        """(C, crop, crop), or (K, C, crop, crop) of K > 1 segments: random snippets in one random window, maybe flipped, colours shaken.

        `when` decides about time and `where` about space, so that streams of all modalities see the same window of a video.
        """
        data, modality = self._data, modality_of(self._data.input)
        with self.open(media, name) as pack:
            starts = segment_starts(len(pack), modality.span(data.input), data.num_segments, when)
            snippets = _snippets(pack, starts, data)
        window = WINDOWS[data.crop_policy](snippets[0], data.crop_size, where, data.smallest_window)
        images = cut(snippets, window, data.crop_size)
        if data.flip and where.random() < 0.5:
            images = modality.mirror(images)
        if data.vertical_flip and where.random() < 0.5:
            images = modality.upend(images)
        if data.color_jitter:
            images = modality.jitter(images, data.color_jitter, where)
        return _item(images)

    def middle_item(self, media: str, name: str) -> Floats:
        """As `training_item`, without chance: the middle snippet of each segment, centre-cropped."""
        data = self._data
        with self.open(media, name) as pack:
            starts = segment_middles(len(pack), modality_of(data.input).span(data.input), data.num_segments)
            snippets = _snippets(pack, starts, data)
        middle = Window(*centre_corner(snippets[0], data.crop_size), data.crop_size, data.crop_size)
        return _item(cut(snippets, middle, data.crop_size))


def iter_views(
    source: SnippetReader | Pack, entry: VideoEntry, data: DataConfig, protocol: Protocol, num_segments: int = 1
) -> Iterator[Floats]:
    """The views of one video, snippet by snippet, (crops, C, H, W) each, or one whole frame (1, C, H, W).

    With K = `num_segments` > 1 they come grouped into videos of K segments of the same crop (`view_groups`): (crops, K, C, H, W) each.
    Crops come in the order of `five_crops`, then those of the mirror image. `source` is the dataset's reader, or the video's own pack.
    """
    with _opened(source, entry) as pack:
        starts = VIEW_STARTS[protocol.sampling](len(pack), modality_of(data.input).span(data.input), protocol.frames)
        for views in view_groups(protocol.frames, num_segments):
            snippets = _snippets(pack, [starts[view] for view in views], data)
            segments = [_all_crops(snippet, data, protocol) for snippet in snippets]
            yield np.stack(segments, axis=1) if num_segments > 1 else segments[0]


def read_views(source: SnippetReader | Pack, entry: VideoEntry, data: DataConfig, protocol: Protocol, num_segments: int = 1) -> Floats:
    """(V, C, H, W) float32, V = frames × crops, or frames: all views of one video at once; (V / K, K, C, H, W) of K > 1 segments."""
    return np.concatenate(list(iter_views(source, entry, data, protocol, num_segments)))


def _opened(source: SnippetReader | Pack, entry: VideoEntry) -> AbstractContextManager[Pack]:
    return source.open(entry.media, entry.path) if isinstance(source, SnippetReader) else nullcontext(source)


def _snippets(pack: Pack, starts: Sequence[int], data: DataConfig) -> list[Any]:
    """K snippets (C, H, W), rescaled to the short side; RGB is still in 8 bits."""
    modality = modality_of(data.input)
    L, stride = modality.snippet_len(data.input), modality.stride(data.input)
    units = pack.read([index for start in starts for index in snippet_indices(start, L, len(pack), stride)])
    snippets = (units[first : first + L] for first in range(0, len(units), L))
    return [modality.rescale(modality.compose(snippet, data.input), data.short_side) for snippet in snippets]


def _item(images: Floats) -> Floats:
    """(K, C, H, W), without K where it is 1: the form in which networks of one snippet are trained."""
    return np.ascontiguousarray(images if len(images) > 1 else images[0])


def _all_crops(image: Any, data: DataConfig, protocol: Protocol) -> Floats:
    """(crops, C, H, W), of the picture and of its mirror image where the protocol asks for ten."""
    images = [image, modality_of(data.input).mirror(image)] if protocol.crops == 10 else [image]
    return np.concatenate([_crops(each, data.crop_size, protocol.crops) for each in images], dtype=np.float32)


def _crops(image: Any, size: int, crops: int) -> Any:
    if crops == 0:
        return image[None]
    return centre_crop(image, size)[None] if crops == 1 else five_crops(image, size)


class VideoDataset(Dataset[tuple[torch.Tensor, int]]):
    """Videos and labels as arrays: objects would be copied, page by page, into the memory of every loader process."""

    def __init__(self, folder: Path, manifest: Manifest, data: DataConfig, videos: Sequence[VideoEntry]) -> None:
        self.labels = label_indices(manifest, videos)
        self._media = np.array([video.media for video in videos], "S64")
        self._names = np.array([video.path for video in videos], np.str_)
        self._reader = SnippetReader(folder, manifest, data)

    def __len__(self) -> int:
        return len(self.labels)

    def _video(self, number: int) -> tuple[str, str]:
        """Media and name."""
        return self._media[number].decode(), str(self._names[number])


class TrainingDataset(VideoDataset):
    """`dataset[Draw]` → (x, label), float32: RGB in 0..255, flow in px/frame of the rescaled picture.

    x is (C, crop, crop), or (K, C, crop, crop) where the config asks for K > 1 segments.
    """

    def __init__(self, folder: Path, manifest: Manifest, data: DataConfig, videos: Sequence[VideoEntry], seed: int) -> None:
        super().__init__(folder, manifest, data, videos)
        self._seed = seed

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, int]:
        when, where = (np.random.default_rng((stream, self._seed, draw.epoch, draw.position)) for stream in (_WHEN, _WHERE))
        item = self._reader.training_item(*self._video(draw.video), when, where)
        return torch.from_numpy(item), int(self.labels[draw.video])


class MiddleViews(VideoDataset):
    """`dataset[number]` → (x, label) of the same form, without chance: what the validation curve is made of."""

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return torch.from_numpy(self._reader.middle_item(*self._video(number))), int(self.labels[number])


def label_indices(manifest: Manifest, videos: Sequence[VideoEntry]) -> np.ndarray:
    """(V,) int64: the place of each video's class in every score vector."""
    index = {name: number for number, name in enumerate(manifest.classes)}
    return np.array([index[video.label] for video in videos], np.int64)
