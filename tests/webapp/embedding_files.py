"""Embeddings beside the rows of an evaluation, made by the engine from clouds that are drawn."""

import json

import numpy as np

from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.embedding.report import write_description, write_embeddings
from webapp.experiments.models import Evaluation


def keep_embeddings(evaluation: Evaluation, distance: float = 4.0) -> Embeddings:
    """A cloud a class in 16 dimensions, their middles `distance` apart on the average; written where the engine writes them."""
    rows = list(evaluation.video_scores.order_by("video_id").values_list("video__key", "label_index"))
    names = list(evaluation.source.dataset.labels.values_list("name", flat=True))
    rng = np.random.default_rng(0)
    labels = np.array([label for _key, label in rows])
    x = rng.normal(size=(len(rows), 16)) + distance / np.sqrt(32) * rng.normal(size=(len(names), 16))[labels]
    about = {**evaluation.metrics["protocol"], "space": {"kind": "metric", "is_unit": False}}
    kept = Embeddings(x.astype(np.float32), labels, np.array([key for key, _label in rows]), np.array(names), about)
    evaluation.folder.mkdir(parents=True, exist_ok=True)
    write_embeddings(evaluation.folder, kept)
    return kept


def keep_map(evaluation: Evaluation) -> None:
    """A map where that by UMAP is kept, without the wait for the library: the principal axes, exchanged."""
    said = json.loads((evaluation.folder / "embedding.json").read_text())
    positions = [[y, x] for x, y in said["maps"]["pca"]["positions"]]
    said["maps"]["umap"] = {"positions": positions, "neighbors": 15, "seed": 0}
    write_description(evaluation.folder / "embedding.json", said)
