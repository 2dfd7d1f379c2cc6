"""The gallery: what can be trained, each card one preset or a pair of them."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from ml.config.data import FlowInput, RGBInput
from ml.config.evaluation import FusionConfig
from ml.config.experiment import Preset
from ml.config.presets import PRESETS
from webapp.choices import name_of


@dataclass(frozen=True)
class Pair:
    """Both streams and their fusion, ready to start: two presets by name."""

    title: Any
    description: Any
    spatial: str
    temporal: str
    fusion: FusionConfig
    source: str = ""


PAIRS: dict[str, Pair] = {
    "small": Pair(
        _("Both streams and their fusion"),
        _("A spatial and a temporal stream side by side, tested and fused by the average of their class probabilities."),
        "cpu_spatial",
        "cpu_temporal",
        FusionConfig(),
    ),
    "imagenet": Pair(
        _("Both streams, ImageNet features"),
        _("The spatial stream starts from ImageNet weights, the temporal one from scratch: for small sets of real video."),
        "imagenet_spatial",
        "cpu_temporal",
        FusionConfig(),
    ),
    "paper": Pair(
        _("Two-stream network of the paper"),
        _("CNN-M-2048 in both streams, L = 10 flow fields, averaged. Needs a GPU and an ImageNet checkpoint of CNN-M-2048."),
        "paper_spatial_last_layer",
        "paper_temporal",
        FusionConfig(),
        "Simonyan & Zisserman 2014, Table 3, uni-directional flow, averaging: UCF101 split 1, 85.9 %",
    ),
    "tsn": Pair(
        _("Temporal segment networks"),
        _("BN-Inception on 3 segments in both streams, scores before softmax weighted 1 : 1.5. Needs a GPU and ImageNet weights."),
        "tsn_rgb",
        "tsn_flow",
        FusionConfig(method="weighted", normalize="none", weights=(1.0, 1.5)),
        "Wang et al. 2016, Table 3, average: UCF101 split 1, 93.5 %; reproduced by Zhi et al. 2018, Table 1: 92.5 %",
    ),
    "nfmml": Pair(
        _("NFMML: segments and metric learning"),
        _("BN-Inception on 5 segments, classifier and metric branch in both streams, averaged. Needs a GPU and ImageNet weights."),
        "nfmml_spatial",
        "nfmml_temporal",
        FusionConfig(),
        "Zhi et al. 2018, Table 5: UCF101, 93.8 %; HMDB51, 68.7 %",
    ),
}


@dataclass(frozen=True)
class Card:
    """A preset as the gallery shows it."""

    key: str
    preset: Preset
    is_spatial: bool
    """Sees pictures; any other one sees motion."""
    needs: list[Any]


def cards() -> list[Card]:
    return [Card(key, preset, isinstance(preset.config.data.input, RGBInput), needs(preset)) for key, preset in PRESETS.items()]


def needs(preset: Preset) -> list[Any]:
    """In a few words: the backbone, and what must be there before or is made first."""
    model, data = preset.config.model, preset.config.data
    found: list[Any] = [name_of(model.backbone)]
    if isinstance(data.input, FlowInput):
        found.append(_("%(method)s flow") % {"method": name_of(data.input.flow.method.kind)})
    if model.pretrained == "imagenet":
        found.append(_("ImageNet weights"))
    return found
