"""The datasets of a run, and what is learnt from them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

from torch.utils.data import ConcatDataset, Dataset

from ml.config.data import DataConfig, Manifest, Subset, VideoEntry
from ml.config.training import TrainingConfig
from ml.errors import BadConfig
from ml.training.joint import AlternatingSampler, JointDataset
from ml.training.loading import TrainingData
from ml.training.readiness import check_classes, check_packs
from ml.video.dataset import SAMPLERS, MiddleViews, SnippetReader, TrainingDataset, subset_videos
from ml.video.layouts.lists import some
from ml.video.manifest import load_manifest, snapshot_id
from ml.words import Words


@dataclass(frozen=True)
class Source:
    """One dataset of a run; `data` is the run's config as if there were no other."""

    data: DataConfig
    manifest: Manifest

    @property
    def folder(self) -> Path:
        return Path(self.data.dataset)

    @property
    def facts(self) -> dict[str, Any]:
        """What numbers on this dataset depend on."""
        return {
            "dataset": self.manifest.name,
            "snapshot": snapshot_id(self.manifest),
            "frame_spec": self.manifest.frame_spec.model_dump(mode="json"),
            "split": self.data.split,
        }

    def videos(self, subset: Subset, seed: int) -> list[VideoEntry]:
        return subset_videos(self.manifest, self.data.split, subset, self.data.validation_fraction, seed, self.data.held_out_fold)


def sources_of(data: DataConfig) -> list[Source]:
    """The run's own dataset, then those it shares its trunk with.

    Raises:
        BadConfig: one is named twice.
    """
    alone = [data.replace(also=()), *(data.replace(dataset=other.dataset, split=other.split, also=()) for other in data.others)]
    sources = [Source(each, load_manifest(Path(each.dataset))) for each in alone]
    snapshots = [source.facts["snapshot"] for source in sources]
    for number, source in enumerate(sources):
        if snapshots[number] in snapshots[:number]:
            raise BadConfig(
                "Dataset “{dataset}” is named twice: what one split trains on may be what another one tests",
                "Name each dataset once.",
                dataset=source.manifest.name,
            )
    return sources


def warnings(sources: Sequence[Source], seed: int) -> list[Words]:
    """What makes numbers of this run worth little, although it can be trained."""
    return [*_leaks(sources, seed), *(warning for source in sources for warning in _lone_videos(source, seed))]


def _leaks(sources: Sequence[Source], seed: int) -> Iterator[Words]:
    """A warning for each dataset whose test videos another one trains on."""
    for source, other in permutations(sources, 2):
        tested = {video.media for video in source.videos("test", seed)}
        learnt = {video.media for video in other.videos("train", seed)}
        if shared := len(tested & learnt):
            yield Words(
                "The content of {count} test videos of “{tested}” is in the training videos of “{learnt}”: "
                "tests of this run on it say little.",
                count=shared,
                tested=source.manifest.name,
                learnt=other.manifest.name,
            )


def _lone_videos(source: Source, seed: int) -> Iterator[Words]:
    """A warning where a class is learnt from a single video, as a fold that is held out may leave it."""
    learnt = Counter(video.label for video in source.videos("train", seed))
    if alone := [name for name in source.manifest.classes if learnt[name] == 1]:
        yield Words(
            "One training video alone is left of {names}, in “{dataset}”: add videos of other groups, or hold out less.",
            names=some(alone),
            dataset=source.manifest.name,
        )


def training_data(sources: Sequence[Source], training: TrainingConfig) -> tuple[TrainingData, dict[str, int]]:
    """What is learnt from, and how many videos that are.

    Raises:
        BadConfig: there are too few classes or videos, or no such split.
        MissingFlow, BadPack: as their names say.
    """
    parts, held_out, first_class = [], [], 0
    for source in sources:
        part, held = _part(source, training)
        for dataset in (part, held):
            dataset.labels += first_class
        first_class += len(source.manifest.classes)
        parts.append(part)
        held_out.append(held)
    num_train, num_held_out = (sum(map(len, datasets)) for datasets in (parts, held_out))
    steps = training.steps_per_epoch or -(-num_train // training.batch_size)
    labels = [part.labels for part in parts]
    sampler = AlternatingSampler(SAMPLERS[training.sampling], labels, steps * training.batch_size, training.seed, training.batch_size)
    validation: Dataset[Any] | None = ConcatDataset(held_out) if num_held_out else None
    facts = {"train_videos": num_train, "validation_videos": num_held_out}
    return TrainingData(JointDataset(parts, [len(part) for part in parts]), sampler, steps, validation), facts


def _part(source: Source, training: TrainingConfig) -> tuple[TrainingDataset, MiddleViews]:
    """The training videos of one dataset, and those held out."""
    folder, manifest, data = source.folder, source.manifest, source.data
    videos, held_out = (source.videos(subset, training.seed) for subset in ("train", "validation"))
    check_classes(manifest, data.split, videos)
    check_packs(SnippetReader(folder, manifest, data), [*videos, *held_out])
    return TrainingDataset(folder, manifest, data, videos, training.seed), MiddleViews(folder, manifest, data, held_out)


def known_by(dataset: Path) -> dict[str, Any]:
    """What a run knows this dataset by, the surest first."""
    manifest = load_manifest(dataset)
    return {"snapshot": snapshot_id(manifest), "dataset": manifest.name, "classes": list(manifest.classes)}


def chosen(heads: Sequence[Mapping[str, Any]], wanted: Mapping[str, Any]) -> int:
    """Which of a run's datasets is wanted: the one that has the first of these facts, else the second, and so on (see `known_by`).

    Raises:
        BadConfig: none of them.
    """
    if len(heads) == 1 and "classes" in wanted:
        return 0  # whether its classes fit is seen video by video
    for fact, value in wanted.items():
        for number, head in enumerate(heads):
            if head[fact] == value:
                return number
    raise BadConfig(
        "This run did not learn dataset “{name}”, but {names}",
        "Choose one of these datasets, or another run.",
        name=wanted["dataset"],
        names=", ".join(f"“{head['dataset']}”" for head in heads),
    )
