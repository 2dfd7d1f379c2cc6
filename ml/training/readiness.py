"""Can this config be trained on this dataset? Asked before the first step, so that nobody waits for an error."""

from collections.abc import Sequence

from ml.backbones import BACKBONES
from ml.config.data import Manifest, VideoEntry
from ml.config.experiment import ExperimentConfig
from ml.config.training import TrainingConfig
from ml.errors import BadConfig
from ml.video.dataset import SnippetReader

SMALLEST_CROP_OF_ONE = 33
"""The backbones halve a picture five times. One picture of 32 px leaves one value per channel: nothing to normalise a batch with."""


def check_config(config: ExperimentConfig) -> None:
    """What needs no dataset.

    Raises:
        BadConfig: the value found, and what to do.
    """
    crop, backbone = config.data.crop_size, config.model.backbone
    smallest = BACKBONES[backbone].min_size
    if crop < smallest:
        raise BadConfig(
            "A crop of {crop} px is too small for {backbone}",
            "Choose a crop of at least {smallest} px.",
            crop=crop,
            backbone=backbone,
            smallest=smallest,
        )
    training = config.training
    if training.devices > training.batch_size:
        raise BadConfig(
            "{devices} devices cannot share a batch of {batch} videos",
            "Choose fewer devices, or a larger batch.",
            devices=training.devices,
            batch=training.batch_size,
        )
    if smallest_part(training) == 1 and crop < SMALLEST_CROP_OF_ONE:
        raise BadConfig(
            "A batch of one video cropped to {crop} px cannot be normalised",
            "Choose a larger batch, more videos at once, or a crop of at least {smallest} px.",
            crop=crop,
            smallest=SMALLEST_CROP_OF_ONE,
        )
    if not config.data.dataset:
        raise BadConfig("The config names no dataset", "Put the dataset's folder into data.dataset.")


def smallest_part(training: TrainingConfig) -> int:
    """How many videos of a batch a network sees at least at a time."""
    share = training.batch_size // training.devices
    return share // -(-share // (training.micro_batch or share))


def check_classes(manifest: Manifest, split: str, training: Sequence[VideoEntry]) -> None:
    """Raises:
    BadConfig: fewer than two classes, or classes without training videos.
    """
    if len(manifest.classes) < 2:
        raise BadConfig(
            "Dataset “{dataset}” has {classes} class, and a network needs two to tell apart",
            "Import videos of more classes.",
            dataset=manifest.name,
            classes=len(manifest.classes),
        )
    present = {video.label for video in training}
    if empty := [name for name in manifest.classes if name not in present]:
        raise BadConfig(
            "{count} of {classes} classes have no training video in split “{split}”: {names}",
            "Add videos of these classes, remove the classes, or choose another split.",
            count=len(empty),
            classes=len(manifest.classes),
            split=split,
            names=", ".join(empty[:10]),
        )


def check_packs(reader: SnippetReader, videos: Sequence[VideoEntry]) -> None:
    """Open what will be read.

    Raises:
        MissingFlow: flow that was not extracted.
        BadPack: a pack that is missing or damaged.
    """
    for video in videos:
        with reader.open(video.media, video.path):
            pass
