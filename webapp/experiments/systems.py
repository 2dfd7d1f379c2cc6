"""The gallery: what can be trained, each card one preset or a pair of them; what runs anywhere, and what the papers trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from ml.config.data import RGBInput
from ml.config.evaluation import FusionConfig
from ml.config.experiment import Preset
from ml.config.presets import PAPERS, PRESETS
from ml.config.presets.small import SMALL
from ml.config.weights import find
from webapp.choices import name_of
from webapp.experiments.models import weights_folder


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
    "paper_multi_task": Pair(
        _("Two-stream network of the paper, multi-task"),
        _("As above, with a temporal stream that learns UCF101 and HMDB51 together: choose one, and the other under “Further datasets”."),
        "paper_spatial_last_layer",
        "paper_temporal_multi_task",
        FusionConfig(method="svm", normalize="l2", fit="training_scores"),
        "Simonyan & Zisserman 2014, Table 3, uni-directional flow, multi-task, SVM-fusion: UCF101 split 1, 87.0 %; averaging, 86.2 %",
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
    """What the gallery shows of a preset or of a pair: `view` is the form that it fills in, as `preset`."""

    view: str
    preset: str
    title: Any
    description: Any
    source: str
    is_spatial: bool
    """Sees pictures."""
    is_temporal: bool
    """Sees motion."""
    needs: list[Any]
    lacks_weights: bool
    """Starts from ImageNet weights that are not on this machine."""


@dataclass(frozen=True)
class Shelf:
    """The cards of one paper, or those that any machine runs."""

    title: Any
    paper: str
    cards: list[Card]


def small_cards() -> list[Card]:
    """What runs without a GPU."""
    return _cards(SMALL)


def paper_shelves() -> list[Shelf]:
    """What the papers trained, in their sizes."""
    return [Shelf(_(paper.title), paper.citation, _cards(paper.presets)) for paper in PAPERS]


def _cards(presets: Mapping[str, Preset]) -> list[Card]:
    """The pairs that begin with one of these presets, then the presets."""
    pairs = (_pair_card(key, pair) for key, pair in PAIRS.items() if pair.spatial in presets)
    return [*pairs, *(_preset_card(key, preset) for key, preset in presets.items())]


def _pair_card(key: str, pair: Pair) -> Card:
    presets = (PRESETS[pair.spatial], PRESETS[pair.temporal])
    found = list(dict.fromkeys(need for preset in presets for need in needs(preset)))
    return Card("two_stream", key, pair.title, pair.description, pair.source, True, True, found, any(map(_lacks_weights, presets)))


def _preset_card(key: str, preset: Preset) -> Card:
    sees = isinstance(preset.config.data.input, RGBInput)
    words = (_(preset.title), _(preset.description), preset.source)
    return Card("run", key, *words, sees, not sees, needs(preset), _lacks_weights(preset))


def _lacks_weights(preset: Preset) -> bool:
    model = preset.config.model
    return model.pretrained == "imagenet" and find(model.backbone, weights_folder()) is None


def needs(preset: Preset) -> list[Any]:
    """In a few words: the backbone, and what must be there before or is made first."""
    model, data = preset.config.model, preset.config.data
    found: list[Any] = [name_of(model.backbone)]
    if flow := data.input.reads_flow:
        found.append(_("%(method)s flow") % {"method": name_of(flow.method.kind)})
    if model.pretrained == "imagenet":
        found.append(_("ImageNet weights"))
    return found
