"""Score files keep every number, say where it comes from, and refuse what is no score file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml.errors import BadScores
from ml.evaluation.scores import Scores, log_probabilities, softmax, stated
from tests.ml.scores_by_hand import made_up


def test_a_saved_file_is_loaded_unchanged(tmp_path: Path) -> None:
    scores = replace(made_up(classes=["ä"], left_out=["打.mp4"]), arrays={"svm_bias": np.array([1.5])})
    scores.save(tmp_path / "a.npz")
    loaded = Scores.load(tmp_path / "a.npz")
    for name in ("scores", "labels", "videos", "groups", "classes"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(scores, name))
    assert loaded.about == scores.about
    np.testing.assert_array_equal(loaded.arrays["svm_bias"], [1.5])


def test_the_file_can_be_read_with_numpy_alone_and_tells_its_protocol(tmp_path: Path) -> None:
    made_up().save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert file["scores"].shape == (24, 3) and file["scores"].dtype == np.float32
        assert str(file["protocol"]) == "25x10 (25 frames × 10 crops), test of split 1"
        assert json.loads(str(file["about"]))["modality"] == "rgb"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a.npz"
    made_up().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadScores, match=r"a\.npz"):
        Scores.load(path)


def test_a_flipped_byte_in_any_array_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    made_up(num_videos=200).save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(BadScores, match="damaged"):
        Scores.load(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, scores=np.array([{"not": "numbers"}], dtype=object), allow_pickle=True)
    with pytest.raises(BadScores, match="allow_pickle=False"):
        Scores.load(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"path,label\n", b"\x93NUMPY\x01\x00"])
def test_a_foreign_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(BadScores, match=r"list\.csv"):
        Scores.load(tmp_path / "list.csv")


def test_an_npz_of_something_else_says_what_is_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "weights.npz", weights=np.zeros(3))
    with pytest.raises(BadScores, match="no 'scores'"):
        Scores.load(tmp_path / "weights.npz")


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadScores, match=r"no score file .*gone\.npz"):
        Scores.load(tmp_path / "gone.npz")
    with pytest.raises(BadScores, match="no score file"):
        Scores.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"scores": np.zeros((24, 4), np.float32)}, r"shape \(24, 3\), got \(24, 4\)"),
        ({"labels": np.full(24, 3)}, "labels from 3 to 3 for 3 classes"),
        ({"labels": np.full(24, -1)}, "labels from -1"),
        ({"labels": np.zeros(23, np.int64)}, "expected 24 labels"),
        ({"groups": np.array(["g"])}, "expected 24 groups"),
        ({"videos": np.array(["same"] * 24)}, "same is listed 24 times in videos"),
        ({"classes": np.array(["a", "b", "a"])}, "a is listed 2 times in classes"),
        ({"scores": np.full((24, 3), np.nan, np.float32)}, "video000 is not finite"),
        ({"videos": np.array([], dtype=np.str_)}, "0 videos"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_what_was_found(change: dict[str, Any], complaint: str) -> None:
    with pytest.raises(BadScores, match=complaint):
        replace(made_up(), **change)


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_softmax_of_log_probabilities_gives_the_probabilities_back(scores: np.ndarray) -> None:
    probabilities = softmax(scores)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(softmax(log_probabilities(probabilities)), probabilities, atol=1e-6)


def test_softmax_is_the_textbook_formula_and_does_not_overflow() -> None:
    np.testing.assert_allclose(softmax(np.array([[1.0, 2.0]])), [[1 / (1 + np.e), np.e / (1 + np.e)]])
    np.testing.assert_array_equal(softmax(np.array([[1e30, -1e30]])), [[1, 0]])


def test_a_number_of_unknown_origin_says_so() -> None:
    assert stated({}) == "? (protocol unknown), unknown subset of split ?"


def test_a_file_that_another_program_wrote_needs_scores_labels_videos_classes_and_says_its_protocol(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {
        "scores": np.eye(3),
        "labels": [0, 1, 2],
        "videos": np.array(list("abc")),
        "classes": np.array(["x", "y", "z"]),
    }
    np.savez(tmp_path / "stated.npz", **arrays, protocol=np.array("25x10"))
    np.savez(tmp_path / "bare.npz", **arrays)
    stated, bare = Scores.load(tmp_path / "stated.npz"), Scores.load(tmp_path / "bare.npz")
    assert stated.groups.tolist() == ["", "", ""]
    assert stated.about["description"] == "25x10"
    assert "does not state" in bare.about["description"]
