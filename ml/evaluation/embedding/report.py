"""Embeddings → everything that is said of them, as `embedding.json` holds it: pages and people read that without NumPy."""

import json
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.config.embedding import EMBEDDING_DEFINITIONS, SPACES, VERSION, UmapConfig, can_draw_umap
from ml.evaluation.embedding.clusters import mutual_information, near_pairs
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.embedding.maps import Plane, neighborhood_size, principal_plane, umap_plane
from ml.evaluation.embedding.neighbours import Retrieval, retrieve
from ml.process import atomic_path
from ml.words import packed

NEIGHBORS_SHOWN = 10
PAIRS_SHOWN = 30
DIGITS = 4
"""Of positions and distances: a ten-thousandth of the widest."""


def describe(e: Embeddings, umap: UmapConfig | None = None) -> dict[str, Any]:
    """Measures (fractions, or None where a measure has no meaning), neighbours, near pairs of classes, maps.

    Args:
        umap: the map to draw beside that of principal components, where there are videos enough; none is drawn without.
    """
    x, facts = e.embeddings, _facts(e)
    found = retrieve(x, e.labels, max(NEIGHBORS_SHOWN, umap.neighbors - 1 if umap else 0))
    plane = principal_plane(x)
    retrieval = {name: None if facts["all_equal"] else getattr(found, name) for name in ("recall_at_1", "recall_at_5", "map_at_r")}
    return {
        "version": VERSION,
        "measures": {**retrieval, "nmi": mutual_information(x, e.labels)},
        "definitions": EMBEDDING_DEFINITIONS,
        "facts": facts,
        "space": {**e.about.get("space", {}), "size": x.shape[1], "words": SPACES[e.about.get("space", {}).get("kind", "features")]},
        "protocol": {key: e.about.get(key, "") for key in ("short", "description", "subset", "split")},
        "classes": e.classes.tolist(),
        "videos": e.videos.tolist(),
        "labels": e.labels.tolist(),
        "neighbors": found.order[:, :NEIGHBORS_SHOWN].tolist(),
        "distances": _rounded(found.distances[:, :NEIGHBORS_SHOWN]),
        **_pairs(e, found, facts),
        "maps": {
            "pca": {"positions": _rounded(plane.positions), "explained": plane.explained},
            "umap": _umap(e, found, plane, umap) if umap and can_draw_umap(facts) else None,
        },
    }


def _pairs(e: Embeddings, found: Retrieval, facts: dict[str, Any]) -> dict[str, Any]:
    """The classes that lie nearest to each other, and how many of all pairs lie too near."""
    pairs = [] if facts["all_equal"] else near_pairs(e.embeddings, e.labels, e.classes.tolist(), found.order[:, 0], PAIRS_SHOWN)
    near = [[pair.name_a, pair.name_b] for pair in pairs if pair.is_too_near]
    total = comb(facts["classes"] - facts["singles"], 2)
    return {
        "pairs": [pair.model_dump() for pair in pairs[:PAIRS_SHOWN]],
        "too_near": {"count": len(near), "of": total, "pairs": near[:PAIRS_SHOWN]},
    }


def _umap(e: Embeddings, found: Retrieval, plane: Plane, config: UmapConfig) -> dict[str, Any]:
    positions = umap_plane(e.embeddings, found.order, found.distances, plane.positions, config)
    return {"positions": _rounded(positions), "neighbors": neighborhood_size(len(positions), config), "seed": config.seed}


def files_of(out: Path) -> tuple[Path, Path]:
    """(embeddings, what is said of them): beside F.npz `F.embeddings.npz` and `F.embedding.json`, else `embeddings.npz` … in the folder."""
    if out.suffix == ".npz":
        return out.with_suffix(".embeddings.npz"), out.with_suffix(".embedding.json")
    return out / "embeddings.npz", out / "embedding.json"


def write_embeddings(out: Path, embeddings: Embeddings | None) -> None:
    """Write both files; without embeddings, take away those of an earlier evaluation."""
    array_file, description_file = files_of(out)
    if embeddings is None:
        for path in (array_file, description_file):
            path.unlink(missing_ok=True)
        return
    embeddings.save(array_file)
    write_description(description_file, describe(embeddings))


def write_description(path: Path, found: dict[str, Any]) -> None:
    """Write the whole file or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(packed(found), ensure_ascii=False, allow_nan=False, separators=(",", ":")), encoding="utf-8")


def headline(found: dict[str, Any]) -> dict[str, Any]:
    """What fits on a screen: all but what is said of single videos."""
    return {name: found[name] for name in ("measures", "definitions", "facts", "space", "protocol", "too_near", "pairs", "classes")}


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    """To DIGITS of the largest."""
    largest = float(np.abs(values).max(initial=0))
    places = DIGITS - (int(np.floor(np.log10(largest))) if largest > 0 else 0)
    rounded: list[list[float]] = np.round(values, max(0, places)).tolist()
    return rounded


def _facts(e: Embeddings) -> dict[str, Any]:
    """What a reader of the numbers must know: `singles` are classes of one video, `copies` videos that lie where another one does."""
    counts = np.bincount(e.labels)
    different = len(np.unique(e.embeddings, axis=0))
    return {
        "videos": len(e.videos),
        "classes": int((counts > 0).sum()),
        "singles": int((counts == 1).sum()),
        "copies": len(e.videos) - different,
        "all_equal": different == 1,
    }
