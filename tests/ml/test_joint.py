"""Several datasets, one trunk: each video meets the classes of its own dataset alone."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ml.__main__ import main
from ml.config.data import OtherDataset
from ml.config.experiment import ExperimentConfig
from ml.config.models import NFMML
from ml.errors import BadConfig, MissingWeights
from ml.evaluation.scores import Scores
from ml.events import Log
from ml.experiment import train
from ml.process import Stop
from ml.trained import load_run
from ml.training.joint import AlternatingSampler, JointClassification, JointDataset, OneHead
from ml.training.sources import known_by
from ml.video.manifest import load_manifest, save_manifest
from ml.video.samplers import SAMPLERS, Draw
from tests.ml.run_data import spatial, temporal, write_dataset

SIZES = (3, 2)


class Fixed(nn.Module):
    """Answers with the scores it was given."""

    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.scores = nn.Parameter(scores)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores[: len(x)]


def test_the_loss_is_the_sum_of_each_datasets_softmax_loss_and_no_class_of_another_gets_a_gradient() -> None:
    scores = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = [0, 4, 2, 3]
    model = Fixed(scores)

    outcome = JointClassification(SIZES)(model, torch.zeros(4, 1), torch.tensor(labels), 0)
    torch.autograd.backward(outcome.total)

    per_dataset = [0.0, 0.0]
    for row, label in zip(scores.tolist(), labels, strict=True):
        dataset, columns = (0, range(3)) if label < 3 else (1, range(3, 5))
        per_dataset[dataset] -= row[label] - math.log(sum(math.exp(row[column]) for column in columns))
    assert outcome.total.item() == pytest.approx(sum(per_dataset) / 4, rel=1e-12)
    assert model.scores.grad is not None
    assert (model.scores.grad != 0).tolist() == [[True] * 3 + [False] * 2 if label < 3 else [False] * 3 + [True] * 2 for label in labels]


def test_a_video_is_never_recognised_as_a_class_of_another_dataset() -> None:
    scores = torch.tensor([[0.0, 1.0, 0.5, 9.0, 8.0], [9.0, 9.0, 9.0, 0.1, 0.2]])

    outcome = JointClassification(SIZES)(Fixed(scores), torch.zeros(2, 1), torch.tensor([0, 3]), 0)

    assert outcome.scores.argmax(dim=1).tolist() == [1, 4]


def test_a_layer_of_all_classes_learns_what_a_layer_for_each_dataset_learns() -> None:
    torch.manual_seed(0)
    trunk_a, joint = nn.Linear(6, 4, bias=False), nn.Linear(4, 5)
    trunk_b, heads = nn.Linear(6, 4, bias=False), nn.ModuleList([nn.Linear(4, 3), nn.Linear(4, 2)])
    trunk_b.load_state_dict(trunk_a.state_dict())
    for head, rows in zip(heads, (slice(0, 3), slice(3, 5)), strict=True):
        head.load_state_dict({"weight": joint.weight[rows].detach(), "bias": joint.bias[rows].detach()})
    x, labels = torch.randn(6, 6), torch.tensor([0, 3, 2, 4, 1, 3])
    of_second = labels >= 3

    joint_loss = JointClassification(SIZES)(nn.Sequential(trunk_a, joint), x, labels, 0).total
    first = nn.functional.cross_entropy(heads[0](trunk_b(x[~of_second])), labels[~of_second])
    second = nn.functional.cross_entropy(heads[1](trunk_b(x[of_second])), labels[of_second] - 3)
    separate_loss = (first + second) / 2
    torch.autograd.backward([joint_loss, separate_loss])

    torch.testing.assert_close(joint_loss, separate_loss)
    torch.testing.assert_close(trunk_a.weight.grad, trunk_b.weight.grad)
    torch.testing.assert_close(joint.weight.grad, torch.cat([head.weight.grad for head in heads]))  # type: ignore[misc]


@pytest.mark.parametrize("sampling", ["uniform_classes", "shuffle"])
def test_batches_hold_equally_many_videos_of_each_dataset_whatever_its_size(sampling: str) -> None:
    labels = [np.arange(20) % 4, 4 + np.arange(3)]

    draws = list(AlternatingSampler(SAMPLERS[sampling], labels, 60, seed=0, batch_size=6))

    assert [draw.video >= 20 for draw in draws] == [False, True] * 30
    assert {draw.video for draw in draws if draw.video >= 20} == {20, 21, 22}


def test_one_dataset_is_drawn_as_if_there_were_no_turns_to_take() -> None:
    labels = np.arange(20) % 4

    draws = list(AlternatingSampler(SAMPLERS["uniform_classes"], [labels], 30, seed=3, batch_size=6))

    assert draws == list(SAMPLERS["uniform_classes"](labels, 30, 3))


class Named(Dataset[str]):
    def __init__(self, name: str) -> None:
        self.name = name

    def __getitem__(self, draw: Draw) -> str:
        return f"{self.name}{draw.video}@{draw.position}"


def test_videos_are_numbered_through_all_datasets() -> None:
    joint = JointDataset([Named("a"), Named("b"), Named("c")], [2, 1, 3])

    assert [joint[Draw(0, number, number)] for number in range(len(joint))] == ["a0@0", "a1@1", "b0@2", "c0@3", "c1@4", "c2@5"]


def test_one_head_gives_the_scores_of_its_classes() -> None:
    scores = torch.arange(10.0).view(2, 5)

    assert OneHead(Fixed(scores), 3, 2)(torch.zeros(2, 1)).tolist() == [[3.0, 4.0], [8.0, 9.0]]


def with_other(config: ExperimentConfig, other: Path) -> ExperimentConfig:
    return config.replace(data=config.data.replace(also=(OtherDataset(dataset=str(other)),)))


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """“tiny” of two classes, and “other” of three with more videos."""
    folder = tmp_path_factory.mktemp("datasets")
    return write_dataset(folder / "tiny"), write_dataset(folder / "other", 9, name="other", classes=("dark", "grey", "light"))


@pytest.fixture(scope="module")
def joint_run(datasets: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("joint") / "run"
    list(train(with_other(spatial(datasets[0], epochs=1, steps_per_epoch=2), datasets[1]), out, Stop()))
    return out


def test_a_run_of_two_datasets_knows_the_classes_of_each(joint_run: Path, datasets: tuple[Path, Path]) -> None:
    own, first, second = load_run(joint_run, "cpu"), *(load_run(joint_run, "cpu", known_by(dataset)) for dataset in datasets)
    x = torch.rand(2, 3, 32, 32) * 255
    both = own.model.get_submodule("model")(x)

    assert own.classes == first.classes == ("left", "right")
    assert second.classes == ("dark", "grey", "light")
    assert torch.equal(first.model(x), both[:, :2]) and torch.equal(second.model(x), both[:, 2:])
    assert (second.config.data.dataset, second.config.data.also) == (str(datasets[1]), ())
    assert second.facts["dataset"] == "other" and second.facts["snapshot"] != own.facts["snapshot"]
    assert [other["dataset"] for other in own.facts["also"]] == ["other"]


def test_a_run_is_tested_on_the_dataset_that_is_named(
    joint_run: Path, datasets: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stop, "listen", lambda stop: None)

    assert main(["evaluate", str(joint_run), "--dataset", str(datasets[1]), "--protocol", "1x1", "--out", str(tmp_path / "s.npz")]) == 0

    scores = Scores.load(tmp_path / "s.npz")
    assert list(scores.classes) == ["dark", "grey", "light"] and len(scores.videos) == 9
    assert scores.about["snapshot"] == scores.about["trained_on"]


def test_a_dataset_that_the_run_did_not_learn_is_refused_with_the_names_of_those_it_did(joint_run: Path, tmp_path: Path) -> None:
    stranger = write_dataset(tmp_path / "stranger", name="stranger", classes=("up", "down"))

    with pytest.raises(BadConfig, match="did not learn dataset “stranger”, but “tiny”, “other”"):
        load_run(joint_run, "cpu", known_by(stranger))


def test_a_dataset_twice_is_refused_for_its_splits_would_share_videos(datasets: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="“tiny” is named twice"):
        list(train(with_other(spatial(datasets[0]), datasets[0]), tmp_path / "run", Stop()))


def test_a_test_video_that_another_dataset_trains_on_is_told(datasets: tuple[Path, Path], tmp_path: Path) -> None:
    """The videos of both folders have the same content; in the copy those of “tiny”’s test subset are for training."""
    manifest = load_manifest(datasets[0])
    swapped = {key: "train" if subset == "test" else "test" for key, subset in manifest.splits[0].subsets.items()}
    copy = write_dataset(tmp_path / "copy", name="copy")
    save_manifest(copy, load_manifest(copy).replace(splits=(manifest.splits[0].replace(subsets=swapped),)))

    told = train(with_other(spatial(datasets[0], epochs=1, steps_per_epoch=1), copy), tmp_path / "run", Stop())
    warnings = [event.message for event in told if isinstance(event, Log) and event.level == "warning"]

    assert warnings[0].startswith("The content of 4 test videos of “tiny” is in the training videos of “copy”")


def test_a_metric_loss_takes_no_further_datasets() -> None:
    with pytest.raises(ValueError, match="learns from one dataset"):
        ExperimentConfig.model_validate({"model": NFMML(), "data": {"also": [{"dataset": "x"}]}, "training": {"sampling": "balanced"}})


def test_a_run_starts_from_the_trunk_of_another_and_says_what_it_took(joint_run: Path, datasets: tuple[Path, Path], tmp_path: Path) -> None:
    config = spatial(datasets[1], epochs=1, steps_per_epoch=1, init_run=str(joint_run), learning_rate=1e-9)

    told = [event.message for event in train(config, tmp_path / "run", Stop()) if isinstance(event, Log)]

    start, end = load_run(joint_run, "cpu", known_by(datasets[0])).model.get_submodule("model"), load_run(tmp_path / "run", "cpu").model
    for name, parameter in end.named_parameters():
        taken = not name.startswith("classifier.")
        assert torch.allclose(parameter, start.get_parameter(name), atol=1e-6) if taken else len(parameter) == 3
    assert "tensors taken; new here: classifier.weight, classifier.bias; left there: classifier.bias, classifier.weight." in told[0]


def test_a_run_on_another_input_is_nothing_to_start_from(joint_run: Path, datasets: tuple[Path, Path], tmp_path: Path) -> None:
    config = temporal(datasets[0])

    with pytest.raises(MissingWeights, match="do not fit this network"):
        list(train(config.replace(training=config.training.replace(init_run=str(joint_run))), tmp_path / "run", Stop()))
    with pytest.raises(MissingWeights, match="no weights to start from"):
        list(train(spatial(datasets[0], init_run=str(tmp_path)), tmp_path / "run", Stop()))
