"""Measures of embeddings against plain loops, scikit-learn and pytorch-metric-learning; degenerate sets of videos; the file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from ml.__main__ import parser_of
from ml.commands import embed as command
from ml.config.embedding import LEAST_VIDEOS, ClassPair, UmapConfig
from ml.errors import BadConfig, BadScores
from ml.evaluation.embedding.clusters import mutual_information, near_pairs
from ml.evaluation.embedding.file import Embeddings
from ml.evaluation.embedding.maps import principal_plane
from ml.evaluation.embedding.neighbours import ROWS, retrieve
from ml.evaluation.embedding.report import describe
from ml.events import Finished, Log, Progress, Result, Started
from ml.process import Stop

V, D, N = 300, 8, 6
NAMES = [f"class {i}" for i in range(N)]
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@pytest.fixture(scope="module")
def clouds() -> tuple[Floats, Ints]:
    """More videos than fit into one block of distances, in classes that overlap; one class has one video."""
    rng = np.random.default_rng(0)
    labels = np.append(rng.integers(0, N - 1, V - 1), N - 1)
    x = rng.normal(size=(V, D)) + 1.2 * rng.normal(size=(N, D))[labels]
    assert V > ROWS
    return x.astype(np.float32), labels


def embeddings(x: Floats, labels: Ints, **about: Any) -> Embeddings:
    videos, classes = np.array([f"v{i}" for i in range(len(x))]), np.array([f"class {i}" for i in range(labels.max() + 1)])
    return Embeddings(x, labels, videos, classes, {"short": "1x1", "space": {"kind": "metric", "is_unit": False}, **about})


def test_neighbours_are_those_of_scikit_learn_without_the_video_itself(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    found = retrieve(x, labels, 10)
    distances, order = NearestNeighbors(n_neighbors=11, algorithm="brute").fit(x.astype(np.float64)).kneighbors()[:2]
    np.testing.assert_array_equal(found.order, order[:, :10])
    np.testing.assert_allclose(found.distances, distances[:, :10], rtol=1e-9)


def test_measures_of_retrieval_are_those_of_plain_loops(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    at_1, at_5, average = [], [], []
    for query in range(V):
        others = sorted((float(np.linalg.norm(x[query].astype(float) - x[other])), other) for other in range(V) if other != query)
        right = [labels[other] == labels[query] for _distance, other in others]
        R = sum(right)
        if R:
            at_1.append(right[0])
            at_5.append(any(right[:5]))
            average.append(sum(sum(right[: i + 1]) / (i + 1) for i in range(R) if right[i]) / R)
    assert len(at_1) == V - 1  # the class of one video has nothing to find
    found = retrieve(x, labels, 10)
    assert found[:3] == pytest.approx((np.mean(at_1), np.mean(at_5), np.mean(average)), abs=1e-12)


def test_they_are_those_of_pytorch_metric_learning_too(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    measures = ("precision_at_1", "mean_average_precision_at_r")
    nearest = CustomKNN(LpDistance(normalize_embeddings=False))
    calculator = AccuracyCalculator(include=measures, k="max_bin_count", knn_func=nearest, device=torch.device("cpu"))
    theirs = calculator.get_accuracy(torch.from_numpy(x), torch.from_numpy(labels))
    found = retrieve(x, labels, 10)
    assert (found.recall_at_1, found.map_at_r) == pytest.approx([theirs[name] for name in measures], abs=1e-9)


def test_copies_lie_at_distance_0_and_the_first_listed_goes_first() -> None:
    x = np.repeat(np.random.default_rng(0).normal(size=(3, D)).astype(np.float32) * 1000, 4, axis=0)
    found = retrieve(x, np.arange(12) // 4, 2)
    assert found.order[:5].tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [5, 6]]
    assert not found.distances.any()


def test_mutual_information_is_1_of_clouds_far_apart_and_near_0_of_labels_drawn_by_chance(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    shuffled = np.random.default_rng(1).permutation(labels)
    assert mutual_information(x + 1000 * labels[:, None].astype(np.float32), labels) == pytest.approx(1)
    found = mutual_information(x, shuffled)
    assert found is not None and found < 0.1
    assert mutual_information(x, shuffled) == found  # the same seed


def test_mixed_pairs_are_those_of_plain_loops_the_most_mixed_first(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    nearest = retrieve(x, labels, 1).order[:, 0]
    expected = []
    for a in range(N - 1):  # the last class has one video
        for b in range(a + 1, N - 1):
            of_a, of_b = x[labels == a].astype(float), x[labels == b].astype(float)
            middle_a, middle_b = of_a.mean(axis=0), of_b.mean(axis=0)
            spread = np.mean([np.mean([np.linalg.norm(v - m) for v in of]) for of, m in ((of_a, middle_a), (of_b, middle_b))])
            mixed = sum({labels[v], labels[nearest[v]]} == {a, b} for v in range(V))
            distance = np.linalg.norm(middle_a - middle_b)
            videos = len(of_a) + len(of_b)
            expected.append((-mixed / videos, distance / spread, a, b, mixed, videos))
    found = near_pairs(x, labels, NAMES, nearest, least=0)
    assert [(pair.a, pair.b, pair.mixed, pair.videos) for pair in found] == [row[2:] for row in sorted(expected) if row[0]]
    assert [pair.ratio for pair in found] == pytest.approx([row[1] for row in sorted(expected) if row[0]], rel=1e-6)
    assert all(pair.ratio == pytest.approx(pair.distance / pair.spread) for pair in found)
    assert (found[0].name_a, found[0].name_b) == (NAMES[found[0].a], NAMES[found[0].b])


def test_pairs_without_spread_are_left_out_unless_they_coincide() -> None:
    x = np.array([[0.0], [0.0], [5.0], [5.0], [0.0], [0.0]], np.float32)
    pairs = near_pairs(x, np.array([0, 0, 1, 1, 2, 2]), NAMES, np.array([1, 0, 3, 2, 5, 4]), least=9)
    assert [(pair.a, pair.b, pair.ratio) for pair in pairs] == [(0, 2, 0.0)]


@pytest.mark.parametrize(
    ("mixed", "videos", "is_too_near"), [(0, 4, False), (1, 4, False), (2, 4, True), (2, 20, True), (2, 21, False), (9, 90, True)]
)
def test_a_pair_is_too_near_when_a_tenth_of_its_videos_and_two_of_them_have_their_neighbour_across(
    mixed: int, videos: int, is_too_near: bool
) -> None:
    pair = ClassPair(a=0, b=1, name_a="bow", name_b="draw", ratio=1, distance=1, spread=1, mixed=mixed, videos=videos)
    assert pair.is_too_near == is_too_near and pair.has_few_videos == (videos < 20)


def test_the_pairs_that_are_too_near_are_counted_and_named() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 4
    x = rng.normal(size=(80, 4)) + 20 * np.eye(4)[[0, 1, 2, 2]][labels]  # classes 2 and 3 are one cloud
    found = describe(embeddings(x.astype(np.float32), labels))
    assert found["too_near"] == {"count": 1, "of": 6, "pairs": [["class 2", "class 3"]]}
    nearest = found["pairs"][0]
    assert (nearest["a"], nearest["b"], nearest["videos"], len(found["pairs"])) == (2, 3, 40, 6) and 0.3 < nearest["mixed"] / 40 < 0.7
    apart = describe(embeddings((x + 20 * np.eye(4)[labels]).astype(np.float32), labels))
    assert apart["too_near"] == {"count": 0, "of": 6, "pairs": []}


def test_the_first_axes_show_what_variance_they_say() -> None:
    x = (np.random.default_rng(0).normal(size=(50, 3)) * [9, 3, 1] @ np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]).astype(
        np.float32
    )
    plane, eigenvalues = principal_plane(x), np.sort(np.linalg.eigvalsh(np.cov(x.T)))[::-1]
    np.testing.assert_allclose(plane.explained, eigenvalues[:2] / eigenvalues.sum(), rtol=1e-4)
    np.testing.assert_allclose(plane.positions.var(axis=0, ddof=1), eigenvalues[:2], rtol=1e-4)


def test_what_is_said_is_json_and_the_same_every_time(clouds: tuple[Floats, Ints]) -> None:
    x, labels = clouds
    found = describe(embeddings(x, labels))
    text = json.dumps(found, allow_nan=False)
    assert text == json.dumps(describe(embeddings(x, labels)))
    assert found["maps"]["umap"] is None
    assert [len(found[name]) for name in ("videos", "labels", "neighbors", "distances")] == [V] * 4
    assert len(found["maps"]["pca"]["positions"]) == V and len(found["neighbors"][0]) == 10
    assert found["facts"] == {"videos": V, "classes": N, "singles": 1, "copies": 0, "all_equal": False}
    assert set(found["measures"]) < set(found["definitions"])


@pytest.mark.parametrize("num_videos", [1, 2, 9, 12])
def test_few_videos_have_no_more_than_they_can_have(num_videos: int) -> None:
    x = np.random.default_rng(0).normal(size=(num_videos, 4)).astype(np.float32)
    found = describe(embeddings(x, np.arange(num_videos) % 2))
    assert all(len(row) == min(10, num_videos - 1) for row in found["neighbors"])
    assert (found["measures"]["recall_at_1"] is None) == (num_videos < 3)
    assert np.isfinite(found["maps"]["pca"]["positions"]).all()


def test_one_class_has_no_clusters_and_no_pairs() -> None:
    found = describe(embeddings(np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32), np.zeros(20, np.int64)))
    assert found["measures"] == {"recall_at_1": 1.0, "recall_at_5": 1.0, "map_at_r": 1.0, "nmi": None}
    assert found["pairs"] == [] and found["facts"]["classes"] == 1
    assert found["too_near"] == {"count": 0, "of": 0, "pairs": []}


def test_of_equal_embeddings_nothing_is_said() -> None:
    found = describe(embeddings(np.ones((20, 4), np.float32), np.arange(20) % 4), UmapConfig())
    assert set(found["measures"].values()) == {None}
    assert found["pairs"] == [] and found["maps"]["umap"] is None and found["facts"]["all_equal"]
    assert found["maps"]["pca"]["explained"] == (0, 0)


def test_a_file_comes_back_as_it_was_and_a_broken_one_is_refused_by_name(clouds: tuple[Floats, Ints], tmp_path: Path) -> None:
    kept, path = embeddings(*clouds), tmp_path / "embeddings.npz"
    kept.save(path)
    again = Embeddings.load(path)
    for name in ("embeddings", "labels", "videos", "classes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(kept, name))
    assert again.about == kept.about and again.embeddings.dtype == np.float32
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(BadScores, match="no embedding file"):
        Embeddings.load(path)
    np.savez(path, scores=np.ones(3))
    with pytest.raises(BadScores, match="it has no 'embeddings'"):
        Embeddings.load(path)
    with pytest.raises(BadScores, match=r"no embedding file .*gone"):
        Embeddings.load(tmp_path / "gone.npz")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda x, labels: (x[1:], labels), "expected 300 vectors"),
        (lambda x, labels: (x[:, :0], labels), "expected 300 vectors"),
        (lambda x, labels: (x, labels + 1), "labels of 6 classes"),
        (lambda x, labels: (np.where(np.arange(V)[:, None] == 7, np.inf, x), labels), "that of v7 is not finite"),
    ],
)
def test_what_does_not_fit_is_refused(clouds: tuple[Floats, Ints], change: Any, problem: str) -> None:
    good, (x, labels) = embeddings(*clouds), change(*clouds)
    with pytest.raises(BadScores, match=problem):
        Embeddings(x, labels, good.videos, good.classes)


def test_the_command_says_the_measures_and_writes_the_rest(clouds: tuple[Floats, Ints], tmp_path: Path) -> None:
    embeddings(*clouds).save(tmp_path / "e.npz")
    answer, finished = command.run(arguments(tmp_path, "--out", str(tmp_path / "e.json")), Stop())
    written = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert isinstance(answer, Result) and isinstance(finished, Finished)
    assert answer.data["measures"] == finished.summary == written["measures"]
    assert answer.data["too_near"] == written["too_near"] and answer.data["too_near"]["of"] == 10
    assert written["maps"]["umap"] is None and "neighbors" not in answer.data


def arguments(folder: Path, *given: str) -> Any:
    return parser_of("embed", command).parse_args([str(folder / "e.npz"), *given])


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (("--umap", "--neighbors", "1"), "--neighbors: must be at least 2, got 1"),
        (("--umap", "--seed", "-1"), "--seed: must be at least 0, got -1"),
        (("--seed", "0"), "--seed has no meaning without --umap"),
    ],
)
def test_a_map_that_cannot_be_asked_for_is_refused_by_name(tmp_path: Path, given: tuple[str, ...], problem: str) -> None:
    with pytest.raises(BadConfig, match=problem):
        list(command.run(arguments(tmp_path, *given), Stop()))


def test_too_few_videos_have_no_umap_and_the_command_says_so(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(LEAST_VIDEOS - 1, 4)).astype(np.float32)
    embeddings(x, np.arange(len(x)) % 2).save(tmp_path / "e.npz")
    events = list(command.run(arguments(tmp_path, "--umap", "--out", str(tmp_path / "e.json")), Stop()))
    assert [event.message for event in events if isinstance(event, Log)] == [
        "No map by UMAP: that takes 10 videos, and not all at one place."
    ]
    assert json.loads((tmp_path / "e.json").read_text())["maps"]["umap"] is None


def test_umap_keeps_neighbours_together_that_principal_components_part_and_the_seed_decides(tmp_path: Path) -> None:
    """All that is asked of the library in one process that compiles it: ten clouds in 50 dimensions, two videos at one place."""
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 10
    x = (rng.normal(size=(200, 50)) + rng.normal(size=(10, 50))[labels]).astype(np.float32)
    x[20] = x[10]
    embeddings(x, labels).save(tmp_path / "e.npz")
    events = list(command.run(arguments(tmp_path, "--umap", "--out", str(tmp_path / "e.json")), Stop()))
    assert isinstance(events[0], Started) and isinstance(events[1], Progress) and isinstance(events[-1], Finished)
    maps = json.loads((tmp_path / "e.json").read_text())["maps"]
    assert (maps["umap"]["neighbors"], maps["umap"]["seed"]) == (15, 0)
    y, pca = np.array(maps["umap"]["positions"]), np.array(maps["pca"]["positions"])
    assert trustworthiness(x, y, n_neighbors=10) > 0.95 > 0.9 > trustworthiness(x, pca, n_neighbors=10)
    assert describe(embeddings(x, labels), UmapConfig())["maps"]["umap"] == maps["umap"]
    assert describe(embeddings(x, labels), UmapConfig(seed=1))["maps"]["umap"]["positions"] != maps["umap"]["positions"]
    few = describe(embeddings(x[:LEAST_VIDEOS, :1], labels[:LEAST_VIDEOS]), UmapConfig())["maps"]["umap"]  # a line: its second axis is flat
    assert few["neighbors"] == LEAST_VIDEOS - 1 and np.isfinite(few["positions"]).all()
