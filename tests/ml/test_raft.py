"""RAFT with weights that are random, put where torchvision's would be."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ml.commands.catalogue import catalogue
from ml.config.availability import RAFT_WEIGHTS, unavailable, unavailable_methods, weights_file
from ml.config.flow import DIS, RAFT, TVL1, Brox, Farneback
from ml.errors import MissingWeights
from ml.flow import build_flow
from ml.flow.raft import NETS
from tests.ml.packed import texture

# isort: split
from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

SMALL = RAFT(size="small", num_updates=2)


@pytest.fixture(autouse=True)
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))


def put_weights() -> torch.nn.Module:
    torch.manual_seed(0)
    net: torch.nn.Module = NETS["small"](weights=None, progress=False).eval()
    path = weights_file(RAFT_WEIGHTS["small"])
    path.parent.mkdir(parents=True)
    torch.save(net.state_dict(), path)
    return net


def test_weights_are_sought_where_torchvision_puts_them_under_its_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert NETS.keys() == RAFT_WEIGHTS.keys()
    for size, weights in (("large", Raft_Large_Weights.DEFAULT), ("small", Raft_Small_Weights.DEFAULT)):
        assert weights_file(RAFT_WEIGHTS[size]) == Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rpartition("/")[2]
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_file("a") == Path(torch.hub.get_dir()) / "checkpoints" / "a"


def test_without_weights_it_says_which_file_goes_where_and_so_does_the_catalogue() -> None:
    with pytest.raises(MissingWeights, match="not on this machine") as caught:
        build_flow(SMALL)
    assert RAFT_WEIGHTS["small"] in caught.value.advice
    reason = unavailable(SMALL)
    assert reason and RAFT_WEIGHTS["small"] in reason
    assert catalogue()["unavailable"] == unavailable_methods() == {"raft": unavailable(RAFT())}
    assert not any(unavailable(method) for method in (TVL1(), Brox(), Farneback(), DIS()))


def test_it_is_torchvisions_network_on_the_padded_picture() -> None:
    net = put_weights()
    assert unavailable(SMALL) is None
    first, second = texture(100, 139), texture(100, 139, seed=1)
    field = build_flow(SMALL)(first, second)
    padded = (np.pad(frame, ((0, 28), (0, 5)), mode="edge") for frame in (first, second))
    images = (torch.from_numpy(frame).float().div(127.5).sub(1).expand(1, 3, -1, -1) for frame in padded)
    with torch.no_grad():
        expected = net(*images, num_flow_updates=2)[-1][0, :, :100, :139].numpy()
    assert field.shape == (2, 100, 139) and field.dtype == np.float32
    np.testing.assert_allclose(field, expected, atol=1e-3)


def test_a_damaged_weights_file_is_named() -> None:
    path = weights_file(RAFT_WEIGHTS["small"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a checkpoint")
    with pytest.raises(MissingWeights, match="holds no weights"):
        build_flow(SMALL)
