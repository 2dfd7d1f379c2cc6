"""Runs without a fold each, from their configs to the fusion whose SVM is fitted on what they had not learnt."""

import json
from pathlib import Path

import pytest

from ml.__main__ import main
from ml.config.evaluation import FusionConfig
from ml.config.study import StudyConfig
from ml.evaluation.scores import Scores
from ml.video.manifest import load_manifest
from ml.words import WordsDecoder
from tests.ml.run_data import spatial, write_dataset


def test_a_study_is_trained_fold_by_fold_and_fused_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = write_dataset(tmp_path / "data")
    svm = FusionConfig(method="svm", normalize="l2", fit="held_out_folds", folds=2)
    study = StudyConfig(streams=(spatial(dataset, epochs=1), spatial(dataset, epochs=1, seed=1)), fusions=(svm,))
    (tmp_path / "study.json").write_text(study.model_dump_json())
    assert main(["study", str(tmp_path / "study.json"), "--out", str(tmp_path / "configs"), "--json"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]

    def scores(config: str, subset: str) -> str:
        run, out = tmp_path / config, tmp_path / f"{config}-{subset}.npz"
        if not run.exists():
            assert main(["train", str(tmp_path / "configs" / config), "--out", str(run)]) == 0
        assert main(["evaluate", str(run), "--subset", subset, "--protocol", "1x1", "--out", str(out)]) == 0
        return str(out)

    fits = [[scores(config, "validation") for config in fold] for fold in point["folds"]["2"]]
    held_out = [set(Scores.load(Path(fold[0])).videos) for fold in fits]
    subsets = load_manifest(dataset).splits[0].subsets
    assert not held_out[0] & held_out[1] and held_out[0] | held_out[1] == {key for key, subset in subsets.items() if subset == "train"}

    members = [scores(config, "test") for config in point["folds"]["2"][0]]  # in the place of runs on all training videos
    words = [word for fold in fits for word in ("--fit", *fold)]
    assert main(["fuse", *members, "--method", "svm", *words, "--out", str(tmp_path / "f.npz")]) == 0
    about = Scores.load(tmp_path / "f.npz").about
    assert about["description"].endswith("fitted on: held-out scores, 2 folds, 8 videos")
    assert json.loads((tmp_path / "f.json").read_text(), cls=WordsDecoder)["metrics"]["protocol"]["description"] == about["description"]

    assert main(["fuse", *members, "--method", "svm", "--fit", *fits[0], "--out", str(tmp_path / "g.npz")]) == 1
    assert main(["fuse", *members, "--method", "svm", "--fit", *members, "--out", str(tmp_path / "g.npz")]) == 1
    assert main(["fuse", *members, "--method", "svm", "--out", str(tmp_path / "g.npz")]) == 1
    assert not (tmp_path / "g.npz").exists()
