"""Processes that share each batch come to the numbers of one process that has it whole."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ml.config.training import TrainingConfig
from ml.errors import BadConfig, NotANumber
from ml.events import EpochEnded, StepsDone, Stopped
from ml.process import Stop
from ml.training.device import choose_device
from ml.training.objective import Objective, Outcome, classification
from ml.training.team import Team, joined
from ml.training.trainer import Trainer
from tests.ml.teams import in_team
from tests.ml.training_data import N, training_data

CONFIG = TrainingConfig(epochs=2, batch_size=5, learning_rate=0.02, clip_norm=1.0, device="cpu")
ALONE = Team(torch.device("cpu"))


def plain_net() -> nn.Module:
    """Without batch normalisation and dropout, which see or shake each process's share for itself."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, N))


def build(
    folder: Path, team: Team, config: TrainingConfig = CONFIG, stop: Stop | None = None, objective: Objective = classification
) -> Trainer:
    passport = config.model_dump(mode="json")
    data = training_data(config.batch_size)
    return Trainer(plain_net(), data, config, folder / "checkpoint.safetensors", passport, stop or Stop(), objective, team)


def numbers(trainer: Trainer) -> list[float]:
    """Of the curves, and the weights at the end."""
    told: list[float] = []
    for event in trainer.run():
        if isinstance(event, StepsDone):
            told += event.losses.values()
        elif isinstance(event, EpochEnded):
            told += [*event.train.values(), *event.validation.values()]
    return told + weights(trainer)


def weights(trainer: Trainer) -> list[float]:
    return [float(number) for parameter in trainer.model.parameters() for number in parameter.detach().flatten()]


@pytest.fixture(scope="module", autouse=True)
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The numbers of one process; it also imports what the forks would each import again."""
    return numbers(build(tmp_path_factory.mktemp("one"), ALONE))


def test_two_processes_learn_what_one_learns_from_the_same_batches(expected: list[float], tmp_path: Path) -> None:
    both = in_team(tmp_path, 2, lambda team: numbers(build(tmp_path / "two", team)))

    assert both[0] == both[1]
    assert both[0] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_parts_in_each_process_change_nothing_either(expected: list[float], tmp_path: Path) -> None:
    both = in_team(tmp_path, 2, lambda team: numbers(build(tmp_path / "two", team, CONFIG.replace(micro_batch=1))))

    assert both[0] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_stop_that_reaches_one_process_stops_all_at_the_same_step_and_the_run_goes_on_as_if_uninterrupted(tmp_path: Path) -> None:
    def run_and_stop(team: Team) -> list[Any]:
        trainer = build(tmp_path / "stopped", team)
        events = []
        for event in trainer.run():
            events.append(event)
            trainer.stop.requested = team.rank == 1 and trainer.steps_done >= 3
        return [trainer.steps_done, isinstance(events[-1], Stopped)]

    stopped = in_team(tmp_path, 2, run_and_stop)
    resumed = in_team(tmp_path, 2, lambda team: _weights_after(build(tmp_path / "stopped", team)))
    whole = in_team(tmp_path, 2, lambda team: _weights_after(build(tmp_path / "whole", team)))

    assert stopped == [[3, True], [3, True]]
    assert resumed == whole


def _weights_after(trainer: Trainer) -> list[float]:
    list(trainer.run())
    return weights(trainer)


def test_a_loss_that_breaks_in_one_process_ends_all_at_its_step_and_nothing_is_saved(tmp_path: Path) -> None:
    def run_and_break(team: Team) -> str:
        def breaking(model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
            outcome = classification(model, x, labels)
            broken = torch.inf if team.rank == 1 and step == 3 else 1.0
            return Outcome({"cross_entropy": outcome.losses["cross_entropy"] * broken}, outcome.scores)

        with pytest.raises(NotANumber) as caught:
            list(build(tmp_path / "run", team, objective=breaking).run())
        return str(caught.value)

    first, second = in_team(tmp_path, 2, run_and_break)

    assert first == second
    assert first.startswith("The loss “cross_entropy” became inf at step 4 (epoch 1)")
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()


@pytest.mark.parametrize(("size", "num_videos"), [(1, 4), (2, 5), (3, 7), (4, 4)])
def test_shares_are_neighbours_that_make_up_the_batch(size: int, num_videos: int) -> None:
    shares = [Team(torch.device("cpu"), rank, size).share(list(range(num_videos))) for rank in range(size)]

    assert [video for share in shares for video in share] == list(range(num_videos))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_a_run_on_two_devices_in_one_process_is_refused() -> None:
    with pytest.raises(BadConfig, match="2 devices needs 2 processes, and here are 1"), joined(2, "cpu"):
        pass


def test_more_gpus_than_the_machine_has_are_refused_before_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)

    assert choose_device("auto", rank=1, devices=2) == torch.device("cuda", 1)
    with pytest.raises(BadConfig, match="4 GPUs were asked for, and this machine has 2"):
        choose_device("auto", rank=0, devices=4)
    assert choose_device("cpu", rank=3, devices=4) == torch.device("cpu")
