"""BN-Inception is the network of pretrainedmodels, weight by weight, and takes RGB of any size."""

from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import ml.torchvision_shim  # noqa: F401  (before pretrainedmodels)
from ml.backbones import BACKBONES, build_backbone
from ml.backbones.bn_inception import BNInception, halving_pool
from ml.config.weights import weights_folder

pretrainedmodels = pytest.importorskip("pretrainedmodels.models.bninception")


@pytest.fixture(scope="module")
def oracle() -> nn.Module:
    """With running statistics that are not those of a start."""
    torch.manual_seed(0)
    net: nn.Module = pretrainedmodels.BNInception(num_classes=1000).eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return net


def without_classifier(net: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in net.state_dict().items() if not name.startswith("last_linear.")}


@pytest.mark.parametrize(("num_classes", "expected"), [(101, 10_373_765), (1000, 11_295_240)])
def test_it_has_the_published_number_of_parameters(num_classes: int, expected: int) -> None:
    with torch.device("meta"):
        net = nn.Sequential(BNInception(), nn.Linear(1024, num_classes))

    assert sum(parameter.numel() for parameter in net.parameters()) == expected


@pytest.mark.parametrize("size", [224, 64])
def test_with_the_same_weights_it_gives_the_features_of_pretrainedmodels(oracle: nn.Module, size: int) -> None:
    net = BNInception().eval()
    net.load_state_dict(without_classifier(oracle))
    x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1)) * 60

    with torch.no_grad():
        torch.testing.assert_close(net(x), oracle.features(x).mean((2, 3)), rtol=1e-4, atol=1e-5)  # type: ignore[operator]


def test_a_checkpoint_learnt_on_bgr_is_fed_with_rgb(oracle: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights_folder().mkdir(parents=True)
    torch.save(oracle.state_dict(), weights_folder() / "bn_inception-52deb4733.pth")
    rgb = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 255
    bgr = rgb.flip(1) - torch.tensor([104.0, 117.0, 123.0])[:, None, None]  # the TSN authors'

    backbone = build_backbone("bn_inception", 3, "imagenet").eval()

    with torch.no_grad():
        torch.testing.assert_close(backbone(rgb), oracle.features(bgr).mean((2, 3)), rtol=1e-4, atol=1e-5)  # type: ignore[operator]
    widened = build_backbone("bn_inception", 10, "imagenet", levels=1.0).net.state_dict()["conv1_7x7_s2.weight"]
    torch.testing.assert_close(widened[:, 9], oracle.state_dict()["conv1_7x7_s2.weight"].mean(1))


def test_its_blocks_leave_the_shapes_of_the_papers_table() -> None:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _layer: nn.Module, x: tuple[Tensor, ...], _y: Tensor) -> None:
        shapes[name] = tuple(x[0].shape[1:])

    with torch.device("meta"):
        net = BNInception()
        for name in ("3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
            net.get_submodule(f"inception_{name}_3x3_reduce").register_forward_hook(partial(note, name))
        features = net(torch.empty(2, 3, 224, 224))

    widths = {"3a": 192, "3b": 256, "3c": 320, "4a": 576, "4b": 576, "4c": 576, "4d": 608, "4e": 608, "5a": 1056, "5b": 1024}
    sides = {"3": 28, "4": 14, "5": 7}
    assert shapes == {name: (width, sides[name[0]], sides[name[0]]) for name, width in widths.items()}
    assert features.shape == (2, 1024)


@pytest.mark.parametrize("size", [BACKBONES["bn_inception"].min_size, 100, 112, 225, 333])
def test_it_takes_crops_of_every_size(size: int) -> None:
    with torch.device("meta"):
        assert BNInception(20)(torch.empty(2, 20, size, size)).shape == (2, 1024)


def test_the_pooling_that_halves_is_caffes_on_even_sides_and_rounds_up_on_odd_ones() -> None:
    even, odd = torch.rand(1, 2, 6, 8), torch.rand(1, 1, 5, 5)

    assert torch.equal(halving_pool(even), nn.MaxPool2d(3, stride=2, ceil_mode=True)(even))
    pooled = halving_pool(odd)
    assert pooled.shape == (1, 1, 3, 3)
    assert pooled[0, 0, 2, 2] == odd[0, 0, 4, 4]
    assert pooled[0, 0, 0, 2] == odd[0, 0, :3, 4].max()
