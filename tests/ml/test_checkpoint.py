"""A checkpoint comes back whole, or says why it does not."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ml.config.experiment import ExperimentConfig
from ml.errors import BadCheckpoint
from ml.training.checkpoint import Checkpoint, capture, differences, load, restore, save
from ml.training.optim import build_optimizer
from tests.ml.training_data import tiny_net

PASSPORT = {"training": {"batch_size": 8, "milestones": [1, 2]}, "version": 1}


def trained() -> tuple[nn.Module, torch.optim.SGD]:
    net = tiny_net()
    optimizer = build_optimizer(net, 0.1, 0.9, 1e-4)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(net(torch.randn(4, 2, 4, 4)).sum())
        optimizer.step()
    return net, optimizer


def written(folder: Path) -> Path:
    save(folder / "checkpoint.safetensors", Checkpoint(capture(*trained()), PASSPORT, {"epoch": 3}))
    return folder / "checkpoint.safetensors"


def test_weights_momentum_and_statistics_come_back(tmp_path: Path) -> None:
    net, optimizer = trained()
    save(tmp_path / "c", Checkpoint(capture(net, optimizer), PASSPORT, {"epoch": 3}))
    other = tiny_net()
    other_optimizer = build_optimizer(other, 0.1, 0.9, 1e-4)

    saved = load(tmp_path / "c", PASSPORT)
    restore(saved.tensors, other, other_optimizer)

    assert saved.progress == {"epoch": 3}
    state = other.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in net.state_dict().items())
    for mine, theirs in zip(net.parameters(), other.parameters(), strict=True):
        assert torch.equal(optimizer.state[mine]["momentum_buffer"], other_optimizer.state[theirs]["momentum_buffer"])


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
def test_a_truncated_checkpoint_is_an_error(tmp_path: Path, share: float) -> None:
    path = written(tmp_path)
    os.truncate(path, int(path.stat().st_size * share))

    with pytest.raises(BadCheckpoint, match="damaged or no checkpoint"):
        load(path, PASSPORT)


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"\x80\x04 a pickle, maybe" * 20)

    with pytest.raises(BadCheckpoint, match="damaged or no checkpoint"):
        load(tmp_path / "c", PASSPORT)


def test_foreign_safetensors_are_an_error(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "c")

    with pytest.raises(BadCheckpoint, match="no checkpoint of a run"):
        load(tmp_path / "c", PASSPORT)


def test_a_checkpoint_of_another_config_names_every_field_that_differs(tmp_path: Path) -> None:
    path = written(tmp_path)

    with pytest.raises(BadCheckpoint) as caught:
        load(path, {"training": {"batch_size": 16, "milestones": [1, 2]}, "version": 2})

    assert "training.batch_size was 8, is 16; version was 1, is 2" in str(caught.value)


def test_a_checkpoint_that_is_older_than_a_field_had_its_default(tmp_path: Path) -> None:
    passport = ExperimentConfig().model_dump(mode="json")
    older = {**passport, "training": {name: value for name, value in passport["training"].items() if name != "bias_rate"}}
    save(tmp_path / "c", Checkpoint(capture(*trained()), older, {"epoch": 3}))

    assert load(tmp_path / "c", passport).progress == {"epoch": 3}
    with pytest.raises(BadCheckpoint, match=r"training\.bias_rate was null, is 2\.0"):
        load(tmp_path / "c", {**passport, "training": {**passport["training"], "bias_rate": 2.0}})


def test_a_checkpoint_of_another_network_is_an_error(tmp_path: Path) -> None:
    saved = load(written(tmp_path), PASSPORT)
    other = nn.Linear(2, 2)

    with pytest.raises(BadCheckpoint, match="another network"):
        restore(saved.tensors, other, build_optimizer(other, 0.1, 0.9, 0))


def test_a_failed_write_leaves_the_old_checkpoint_and_no_rest(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = path.read_bytes()

    with pytest.raises(TypeError):
        save(path, Checkpoint({}, {"not json": {1, 2}}, {}))

    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.safetensors"]


def test_a_field_that_only_one_config_has_is_a_difference() -> None:
    assert differences({"a": 1}, {"a": 1, "b": {"c": 2}}) == ['b was null, is {"c": 2}']
