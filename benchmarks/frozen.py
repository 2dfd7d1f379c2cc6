"""NFMML on frozen ImageNet features of real clips: the paper's start, distances in the tens, in seconds instead of days.

EfficientNet-Lite0 sees `SNIPPETS` frames of every clip once. What is trained is a last layer over each frame's features, the mean over
K segments, and NFMML's two branches; its objective and its optimisation are the engine's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from ml.backbones import Backbone, build_backbone
from ml.backbones.normalization import Normalize
from ml.config import models as schemas
from ml.config.data import DataConfig, Manifest
from ml.config.evaluation import Protocol
from ml.config.training import TrainingConfig
from ml.layers.over_segments import Average
from ml.layers.segments import SegmentFeatures
from ml.losses import build_loss
from ml.losses.pairs import mean_distances
from ml.models.nfmml import NFMML, initialise
from ml.training.objective import build_objective
from ml.training.step import Diverged, Learner
from ml.training.team import Team
from ml.video.dataset import SnippetReader, read_views
from ml.video.manifest import load_manifest
from ml.video.samplers import BalancedSampler

SNIPPETS, K, FEATURES, STEPS = 10, 5, 256, 300
VIEW = DataConfig(short_side=128, crop_size=112)
MODEL = schemas.NFMML(dropout=0.5)
TRAINING = TrainingConfig(
    epochs=1, steps_per_epoch=STEPS, batch_size=32, sampling="balanced", learning_rate=1e-3, clip_norm=40, device="cpu"
)


@dataclass(frozen=True)
class Clips:
    """Frozen features (V, SNIPPETS, D, 1, 1), which a network takes for pictures of one pixel, and labels (V,)."""

    features: Tensor
    labels: Tensor
    manifest: Manifest

    @classmethod
    def of(cls, dataset: Path, store: Path) -> Self:
        """Computed once: `store` keeps them."""
        manifest = load_manifest(dataset)
        labels = torch.tensor([manifest.classes.index(video.label) for video in manifest.videos])
        if not store.exists():
            np.save(store, _features(dataset, manifest))
        return cls(torch.from_numpy(np.load(store, allow_pickle=False)), labels, manifest)

    def subset(self, split: str, name: str) -> np.ndarray:
        """Places of its videos."""
        subsets = next(each.subsets for each in self.manifest.splits if each.name == split)
        return np.array([place for place, video in enumerate(self.manifest.videos) if subsets[video.key] == name])


@torch.inference_mode()
def _features(dataset: Path, manifest: Manifest) -> np.ndarray:
    reader, protocol = SnippetReader(dataset, manifest, VIEW), Protocol(frames=SNIPPETS, crops=1)
    network = build_backbone("efficientnet_lite0", 3, "imagenet").eval()
    views = (torch.from_numpy(read_views(reader, video, VIEW, protocol)) for video in manifest.videos)
    return np.asarray(torch.stack([network(view)[:, :, None, None] for view in views]).numpy())


def learn(clips: Clips, config: schemas.NFMML, training: TrainingConfig) -> list[dict[str, float]] | None:
    """The measures of each step, and at last those of the test videos; None when a number was no longer finite.

    A seed has a fold of its own: no recording is both in its training and in its test.
    """
    torch.manual_seed(training.seed)
    model = network(config, clips).train()
    learner = Learner(model, build_objective(config, model), training, Team(torch.device("cpu")))
    told = []
    try:
        for step, (videos, snippets) in enumerate(_batches(clips, training)):
            tally = learner.learn(clips.features[videos, snippets], clips.labels[videos[:, 0]], step)
            told.append(tally.mean_measures())
    except Diverged:
        return None
    test = clips.subset(f"fold{training.seed}", "test")
    return [*told, tested(model.eval(), clips.features[test], clips.labels[test])]


def network(config: schemas.NFMML, clips: Clips) -> NFMML:
    """NFMML on the frozen features, with a layer of its own in the place of a backbone."""
    D, N, E = clips.features.shape[2], len(clips.manifest.classes), config.embedding_size
    last = nn.Sequential(nn.Flatten(), nn.Linear(D, FEATURES), nn.ReLU())
    features = SegmentFeatures(Backbone(last, FEATURES, Normalize((0.0,), (1.0,))))
    model = NFMML(features, Average(), build_loss(config.loss, E, N), N, E, config.dropout, config.normalize)
    initialise(model.embedding, config.initialisation)
    return model


def _batches(clips: Clips, training: TrainingConfig) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Videos (B, 1) and the snippets taken of each (B, K), one at random in each segment."""
    train, length, seed = clips.subset(f"fold{training.seed}", "train"), SNIPPETS // K, training.seed
    shape = training.steps_per_epoch, training.batch_size
    draws = np.array([draw.video for draw in BalancedSampler(clips.labels[train].numpy(), shape[0] * shape[1], seed, shape[1])])
    chance = np.random.default_rng(seed)
    for batch in draws.reshape(shape):
        yield train[batch][:, None], chance.integers(length, size=(shape[1], K)) + np.arange(0, SNIPPETS, length)


@torch.inference_mode()
def tested(model: NFMML, x: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracy on videos (V, SNIPPETS, D, 1, 1), and their distances."""
    scores, embeddings = model.branches(x)
    positive, negative = mean_distances(embeddings, labels)
    top1 = scores.argmax(dim=1).eq(labels).float().mean()
    return {"top1": top1.item(), "positive_distance": positive.item(), "negative_distance": negative.item()}
