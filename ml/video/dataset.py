"""Snippets of videos as a network wants them: random ones for training, equally spaced views for tests and prediction.

What a training item looks like depends on (seed, epoch, position) alone: any number of loader workers gives the same numbers,
and a sampler that is set to a position in the middle of an epoch goes on as if it had never stopped.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import Dataset

from ml.config.data import DataConfig, Manifest, VideoEntry
from ml.config.evaluation import Protocol
from ml.errors import BadConfig
from ml.video.arrays import Floats
from ml.video.manifest import store_of
from ml.video.modality import Pack, modality_of
from ml.video.samplers import SAMPLERS, Draw, ShuffleSampler, UniformClassSampler
from ml.video.sampling import equally_spaced_starts, random_start, snippet_indices
from ml.video.subsets import subset_videos
from ml.video.transforms import centre_crop, five_crops, random_crop

__all__ = [
    "SAMPLERS",
    "Draw",
    "ShuffleSampler",
    "SnippetReader",
    "TrainingDataset",
    "UniformClassSampler",
    "iter_views",
    "label_indices",
    "read_views",
    "subset_videos",
]

_ITEM = 1  # which stream of random numbers; the order of the draws is another one


class SnippetReader:
    """Reads snippets of the videos of one dataset; holds paths and specs only, so that loader workers share nothing that grows.

    Raises:
        BadConfig: the crop is larger than the rescaled picture.
    """

    def __init__(self, folder: Path, manifest: Manifest, data: DataConfig) -> None:
        if data.crop_size > data.short_side:
            raise BadConfig(
                f"The crop ({data.crop_size} px) is larger than the rescaled short side ({data.short_side} px)",
                "Choose a smaller crop or a larger short side.",
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

    def training_snippet(self, media: str, name: str, generator: np.random.Generator) -> Floats:
        """(C, crop, crop): a random snippet, randomly cropped from the whole picture, maybe mirrored, its colours shaken."""
        data, modality = self._data, modality_of(self._data.input)
        with self.open(media, name) as pack:
            image = _snippet(pack, random_start(len(pack), modality.snippet_len(data.input), generator), data)
        image = random_crop(image, data.crop_size, generator)
        if data.flip and generator.random() < 0.5:
            image = modality.mirror(image)
        if data.color_jitter:
            image = modality.jitter(image, data.color_jitter, generator)
        return np.ascontiguousarray(image)


def iter_views(source: SnippetReader | Pack, entry: VideoEntry, data: DataConfig, protocol: Protocol) -> Iterator[Floats]:
    """The views of one video, snippet by snippet, (crops, C, H, W) each.

    Crops come in the order of `five_crops`, then those of the mirror image. `source` is the dataset's reader, or the video's own pack.
    """
    modality = modality_of(data.input)
    with _opened(source, entry) as pack:
        for start in equally_spaced_starts(len(pack), modality.snippet_len(data.input), protocol.frames):
            image = _snippet(pack, start, data)
            images = [image, modality.mirror(image)] if protocol.crops == 10 else [image]
            yield np.concatenate([_crops(each, data.crop_size, protocol.crops) for each in images])


def read_views(source: SnippetReader | Pack, entry: VideoEntry, data: DataConfig, protocol: Protocol) -> Floats:
    """(V, C, H, W) float32, V = frames × crops: all views of one video at once."""
    return np.concatenate(list(iter_views(source, entry, data, protocol)))


def _opened(source: SnippetReader | Pack, entry: VideoEntry) -> AbstractContextManager[Pack]:
    return source.open(entry.media, entry.path) if isinstance(source, SnippetReader) else nullcontext(source)


def _snippet(pack: Pack, start: int, data: DataConfig) -> Floats:
    """(C, H, W), rescaled to the short side."""
    modality = modality_of(data.input)
    units = pack.read(snippet_indices(start, modality.snippet_len(data.input), len(pack)))
    return modality.rescale(modality.compose(units, data.input), data.short_side)


def _crops(image: Floats, size: int, crops: int) -> Floats:
    return centre_crop(image, size)[None] if crops == 1 else five_crops(image, size)


class TrainingDataset(Dataset[tuple[torch.Tensor, int]]):
    """`dataset[Draw]` → (x (C, crop, crop) float32, label): RGB in 0..255, flow in px/frame of the rescaled picture."""

    def __init__(self, folder: Path, manifest: Manifest, data: DataConfig, videos: Sequence[VideoEntry], seed: int) -> None:
        self.labels = label_indices(manifest, videos)
        self._media = np.array([video.media for video in videos], "S64")
        self._names = np.array([video.path for video in videos], np.str_)
        self._reader = SnippetReader(folder, manifest, data)
        self._seed = seed

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, draw: Draw) -> tuple[torch.Tensor, int]:
        generator = np.random.default_rng((_ITEM, self._seed, draw.epoch, draw.position))
        media, name = self._media[draw.video].decode(), str(self._names[draw.video])
        return torch.from_numpy(self._reader.training_snippet(media, name, generator)), int(self.labels[draw.video])


def label_indices(manifest: Manifest, videos: Sequence[VideoEntry]) -> np.ndarray:
    """(V,) int64: the place of each video's class in every score vector."""
    index = {name: number for number, name in enumerate(manifest.classes)}
    return np.array([index[video.label] for video in videos], np.int64)
