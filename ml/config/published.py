"""Published tables, number by number, and what a stream or a fusion of ours must be to stand beside a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from ml.config.study import SEED, SPLIT

Metric = Literal["top1", "map_voc2007"]


@dataclass(frozen=True)
class PublishedRow:
    """A line of a table: percentages by dataset, None where the paper says that it did not converge.

    `settings` are what a system of ours has to have: `data.input.modality` of a stream, `fusion.method` of a fusion, and whatever else
    tells this row from the others. A fusion has what its streams agree on, and what each has by itself: `flow:data.input.stack_len`.
    `dataset.combined` is of its dataset. `unlike` is what it must not have. Without settings no system of ours stands beside the row.
    """

    label: str
    values: Mapping[str, float | None]
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    unlike: Mapping[str, JsonValue] = field(default_factory=dict)

    def describes(self, facts: Mapping[str, JsonValue]) -> bool:
        has_all = bool(self.settings) and all(facts.get(name) == value for name, value in self.settings.items())
        return has_all and all(facts.get(name) != value for name, value in self.unlike.items())


@dataclass(frozen=True)
class PublishedTable:
    """A table of a paper. `note` says what its numbers depend on, and where the paper leaves something open."""

    paper: str
    number: str
    title: str
    metric: Metric
    split: str
    rows: tuple[PublishedRow, ...]
    note: str = ""

    @property
    def datasets(self) -> tuple[str, ...]:
        """Its columns."""
        return tuple(dict.fromkeys(dataset for row in self.rows for dataset in row.values))

    @property
    def fields(self) -> set[str]:
        """What tells its rows from each other."""
        return {name for row in self.rows for name in row.settings} - {SPLIT, SEED}


TWO_STREAM = "Simonyan & Zisserman 2014"
TSN = "Wang et al. 2016"
NFMML = "Zhi et al. 2018"
_TESTED = "25 frames × 10 crops, class scores averaged"
_TSN_TESTED = "25 frames × 10 crops, scores before softmax averaged"
_METRIC = "The paper calls the number mAP, of VOC, here and accuracy in its Table 5; what it ranks videos by is not said."

RGB, FLOW, RGB_DIFF, RGB_STACK = ({"data.input.modality": modality} for modality in ("rgb", "flow", "rgb_diff", "rgb_stack"))
ALONE: dict[str, JsonValue] = {**FLOW, "data.also": 0}
COMBINED: dict[str, JsonValue] = {"dataset.combined": True}
AVERAGE, WEIGHTED, SVM = ({"fusion.method": method} for method in ("average", "weighted", "svm"))
SCRATCH = {**RGB, "model.pretrained": "none"}
FINE_TUNED = {**RGB, "model.pretrained": "imagenet", "model.trainable": "all"}
LAST_LAYER = {**RGB, "model.pretrained": "imagenet", "model.trainable": "last_layer"}

ONE_SEGMENT: dict[str, JsonValue] = {"model.kind": "tsn", "data.num_segments": 1}
POOLED: dict[str, JsonValue] = {"model.kind": "nfmml", "model.pooling": "average", "model.metric_weight": 0.0}


def _ucf(label: str, percent: float | None, settings: Mapping[str, JsonValue] | None = None) -> PublishedRow:
    return PublishedRow(label, {"UCF101": percent}, settings or {})


def _both(label: str, ucf: float | None, hmdb: float | None, settings: Mapping[str, JsonValue] | None = None) -> PublishedRow:
    found = {"UCF101": ucf, "HMDB51": hmdb}
    return PublishedRow(label, {dataset: percent for dataset, percent in found.items() if percent is not None}, settings or {})


def _stacked(L: int, mean: bool, representation: str = "flow", bidirectional: bool = False) -> dict[str, JsonValue]:
    kind: dict[str, JsonValue] = {"data.input.representation": representation, "data.input.bidirectional": bidirectional}
    return {**FLOW, **kind, "data.input.stack_len": L, "data.input.mean_subtraction": mean}


def _fused(method: str, further_datasets: int, bidirectional: bool = False) -> dict[str, JsonValue]:
    return {"fusion.method": method, "flow:data.input.bidirectional": bidirectional, "flow:data.also": further_datasets}


def _consensus(label: str, consensus: str, rgb: float, flow: float, both: float) -> tuple[PublishedRow, ...]:
    settings: dict[str, JsonValue] = {"model.kind": "tsn", "model.consensus": consensus}
    parts = (("RGB", rgb, RGB), ("optical flow", flow, FLOW), ("RGB + optical flow", both, WEIGHTED))
    return tuple(_ucf(f"{label}, {part}", percent, {**which, **settings}) for part, percent, which in parts)


PUBLISHED: dict[str, PublishedTable] = {
    "two_stream_1a": PublishedTable(
        TWO_STREAM,
        "Table 1a",
        "Spatial ConvNet",
        "top1",
        "1",
        (
            _ucf("From scratch, dropout 0.5", 42.5, {**SCRATCH, "model.dropout": 0.5}),
            _ucf("From scratch, dropout 0.9", 52.3, {**SCRATCH, "model.dropout": 0.9}),
            _ucf("Pre-trained + fine-tuning, dropout 0.5", 70.8, {**FINE_TUNED, "model.dropout": 0.5}),
            _ucf("Pre-trained + fine-tuning, dropout 0.9", 72.8, {**FINE_TUNED, "model.dropout": 0.9}),
            _ucf("Pre-trained + last layer, dropout 0.5", 72.7, {**LAST_LAYER, "model.dropout": 0.5}),
            _ucf("Pre-trained + last layer, dropout 0.9", 59.9, {**LAST_LAYER, "model.dropout": 0.9}),
            _ucf("Slow fusion of 11 RGB frames, from scratch", 56.4, {**RGB_STACK, "model.kind": "slow_fusion", "data.input.clip_len": 11}),
        ),
        f"{_TESTED}. Slow fusion is of section 5, which says neither its layers nor its dropout.",
    ),
    "two_stream_1b": PublishedTable(
        TWO_STREAM,
        "Table 1b",
        "Temporal ConvNet",
        "top1",
        "1",
        (
            _ucf("Single-frame optical flow, L = 1, mean subtraction", 73.9, _stacked(1, True)),
            _ucf("Optical flow stacking, L = 5, mean subtraction", 80.4, _stacked(5, True)),
            _ucf("Optical flow stacking, L = 10", 79.9, _stacked(10, False)),
            _ucf("Optical flow stacking, L = 10, mean subtraction", 81.0, _stacked(10, True)),
            _ucf("Trajectory stacking, L = 10", 79.6, _stacked(10, False, "trajectory")),
            _ucf("Trajectory stacking, L = 10, mean subtraction", 80.2, _stacked(10, True, "trajectory")),
            _ucf("Optical flow stacking, L = 10, mean subtraction, bi-directional", 81.2, _stacked(10, True, bidirectional=True)),
        ),
        _TESTED,
    ),
    "two_stream_2": PublishedTable(
        TWO_STREAM,
        "Table 2",
        "Temporal ConvNet with additional training data",
        "top1",
        "1",
        (
            PublishedRow("Training on HMDB-51 without additional data", {"HMDB51": 46.6}, {**ALONE, "training.init_run": ""}, COMBINED),
            PublishedRow("Fine-tuning a ConvNet, pre-trained on UCF-101", {"HMDB51": 49.0}, ALONE, {"training.init_run": "", **COMBINED}),
            PublishedRow("Training on HMDB-51 with classes added from UCF-101", {"HMDB51": 52.8}, {**ALONE, **COMBINED}),
            PublishedRow("Multi-task learning on HMDB-51 and UCF-101", {"HMDB51": 55.4}, {**FLOW, "data.also": 1}),
        ),
        _TESTED,
    ),
    "two_stream_3": PublishedTable(
        TWO_STREAM,
        "Table 3",
        "Two-stream ConvNet",
        "top1",
        "1",
        (
            _ucf("bi-directional flow, averaging", 85.6, _fused("average", 0, bidirectional=True)),
            _ucf("uni-directional flow, averaging", 85.9, _fused("average", 0)),
            _ucf("uni-directional flow, multi-task, averaging", 86.2, _fused("average", 1)),
            _ucf("uni-directional flow, multi-task, SVM", 87.0, _fused("svm", 1)),
        ),
        f"{_TESTED}. Spatial ConvNet: pre-trained + last layer.",
    ),
    "two_stream_4": PublishedTable(
        TWO_STREAM,
        "Table 4",
        "Mean accuracy over three splits",
        "top1",
        "1–3",
        (
            _both("Improved dense trajectories (IDT)", 85.9, 57.2),
            _both("IDT with higher-dimensional encodings", 87.9, 61.1),
            _both("IDT with stacked Fisher encoding", None, 66.8),
            _both("Spatio-temporal HMAX network", None, 22.8),
            _both("“Slow fusion” spatio-temporal ConvNet", 65.4, None),
            _both("Spatial stream ConvNet", 73.0, 40.5, RGB),
            _both("Temporal stream ConvNet", 83.7, 54.6, FLOW),
            _both("Two-stream model (fusion by averaging)", 86.9, 58.0, AVERAGE),
            _both("Two-stream model (fusion by SVM)", 88.0, 59.4, SVM),
        ),
        f"{_TESTED}. The paper’s temporal ConvNet was trained on both datasets by multi-task learning.",
    ),
    "tsn_2": PublishedTable(
        TSN,
        "Table 2",
        "Input modalities, on one segment",
        "top1",
        "1",
        (
            _ucf("RGB image", 84.5, {**RGB, **ONE_SEGMENT}),
            _ucf("RGB difference", 83.8, {**RGB_DIFF, **ONE_SEGMENT}),
            _ucf("RGB image + RGB difference", 87.3),
            _ucf("Optical flow", 87.2, {**FLOW, **ONE_SEGMENT}),
            _ucf("Warped flow", 86.9),
            _ucf("Optical flow + warped flow", 87.8),
            _ucf("Optical flow + warped flow + RGB", 92.3),
            _ucf("All modalities", 91.7),
        ),
        f"{_TSN_TESTED}. There is no warped flow here.",
    ),
    "tsn_3": PublishedTable(
        TSN,
        "Table 3",
        "Segmental consensus",
        "top1",
        "1",
        (
            *_consensus("Maximum", "max", 85.0, 86.0, 91.6),
            *_consensus("Average", "average", 85.7, 87.9, 93.5),
            *_consensus("Weighted average", "weighted", 86.2, 87.7, 92.4),
        ),
        f"{_TSN_TESTED}, streams weighted.",
    ),
    "nfmml_1": PublishedTable(
        NFMML,
        "Table 1",
        "Temporal pooling",
        "map_voc2007",
        "",
        (
            _ucf("RGB, TSN", 82.3, {**RGB, "model.kind": "tsn"}),
            _ucf("RGB, TSN + temporal pooling", 83.2, {**RGB, **POOLED}),
            _ucf("Optical flow, TSN", 83.6, {**FLOW, "model.kind": "tsn"}),
            _ucf("Optical flow, TSN + temporal pooling", 82.9, {**FLOW, **POOLED}),
            _ucf("RGB + optical flow, TSN", 92.5, {**AVERAGE, "model.kind": "tsn"}),
            _ucf("RGB + optical flow, TSN + temporal pooling", 92.8, {**AVERAGE, **POOLED}),
        ),
        _METRIC,
    ),
    "nfmml_2": PublishedTable(
        NFMML,
        "Table 2",
        "Weight λ2 of the metric loss, λ1 = 1",
        "map_voc2007",
        "",
        tuple(
            _ucf(f"λ2 = {weight:g}", percent, {**AVERAGE, "model.metric_weight": weight})
            for weight, percent in ((0.0, 92.7), (0.1, 93.1), (0.2, 93.8), (0.3, None), (0.4, None))
        ),
        f"{_METRIC} It does not say whether one stream or both were tested; its best row is that of both.",
    ),
    "nfmml_3": PublishedTable(
        NFMML,
        "Table 3",
        "Margin functions",
        "map_voc2007",
        "",
        tuple(
            _ucf(label, percent, {**AVERAGE, "model.loss.margin": margin})
            for label, percent, margin in (("ratio", 92.9, "ratio"), ("logarithm", 91.9, "log"), ("exponential", 93.8, "exp"))
        ),
        _METRIC,
    ),
    "nfmml_4": PublishedTable(
        NFMML,
        "Table 4",
        "Parts of the network",
        "map_voc2007",
        "",
        (
            _ucf("TSN", 92.5, {**AVERAGE, "model.kind": "tsn"}),
            _ucf("TSN + temporal pooling", 92.8, {**AVERAGE, **POOLED}),
            _ucf("TSN + temporal pooling + metric learning", 93.8, {**AVERAGE, "model.kind": "nfmml", "model.metric_weight": 0.2}),
        ),
        _METRIC,
    ),
    "nfmml_5": PublishedTable(
        NFMML,
        "Table 5",
        "Accuracy of current methods",
        "top1",
        "",
        (
            _both("DT + MVS", 83.5, 55.9),
            _both("iDT + FV", 85.9, 57.2),
            _both("iDT + HSV", 87.9, 61.1),
            _both("MoFAP", 88.3, 61.7),
            _both("Two Stream", 88.0, 59.4, {"fusion.method": "svm", "model.kind": "two_stream"}),
            _both("FSTCN", 88.1, 59.1),
            _both("TDD + FV", 90.3, 63.2),
            _both("LTC", 91.7, 64.8),
            _both("TSN (2 modalities)", 92.5, 66.7, {**AVERAGE, "model.kind": "tsn"}),
            _both("TS-LSTM", 94.1, 69.0),
            _both("NFMML", 93.8, 68.7, {**AVERAGE, "model.kind": "nfmml", "model.metric_weight": 0.2, "data.num_segments": 5}),
        ),
        "Which splits were averaged is not said.",
    ),
}
