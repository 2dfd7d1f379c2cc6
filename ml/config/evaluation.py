"""Test protocols and fusion: what stands beside every number."""

import re
from typing import Literal, Self

from ml.config.schema import Schema, knob
from ml.words import Words, counted, joined

CROPS = {
    1: "centre crop",
    5: "4 corners + centre",
    10: "4 corners + centre, mirrored too",
    0: "none: whole frames, fully convolutional",
}

NORMALIZED_WORDS = {"none": "scores before softmax", "softmax": "class probabilities", "l2": "L2-normalised class probabilities"}

METRIC_DEFINITIONS = {
    "top1": "share of videos whose highest-scored class is the true one",
    "top5": "share of videos whose true class is among the 5 highest-scored (all, where there are fewer classes)",
    "mean_class_accuracy": "mean of the per-class recalls, over classes with videos",
    "map": "mean, over classes with videos, of the average precision Σ (R_n − R_{n−1}) P_n of all videos ranked by softmax score",
    "map_voc2007": "as map, with the average precision of VOC 2007 (Everingham et al. 2010): the mean over the recalls 0, 0.1, …, 1 of the "
    "highest precision at that recall or more",
    "map_voc2010": "as map, with the average precision of VOC 2010 and later: Σ (R_n − R_{n−1}) p_n, p_n the highest precision at recall "
    "R_n or more",
    "map_raw": "as map, but videos are ranked by the score itself: before softmax; of averaged probabilities, their logarithm",
    "map_voc2007_raw": "as map_voc2007, but videos are ranked as for map_raw",
    "map_voc2010_raw": "as map_voc2010, but videos are ranked as for map_raw",
    "recall": "share of a class's videos that are recognised, with Wilson's interval (95 %); none for a class without videos",
    "precision": "share of the videos recognised as a class that are of it; none for a class that is never predicted",
}


FULL = "full"
"""In the place of a number of crops."""


class Protocol(Schema):
    """How a video becomes one score vector: views = frames × crops, aggregated."""

    frames: int = knob(25, "Frames", "Equally spaced frames (or flow stacks) per video.", ge=1, le=250)
    crops: Literal[1, 5, 10, 0] = knob(
        10,
        "Crops",
        "1: centre; 5: corners and centre; 10: those and their mirror images; none (0 in files): the network slides over whole "
        "frames (fully convolutional), or averages all of their last map, as its kind does.",
    )
    aggregation: Literal["softmax", "logits"] = knob(
        "softmax", "Aggregation", "Average the class probabilities of all views (two-stream paper), or the scores before softmax (TSN)."
    )

    sampling: Literal["spread", "middles"] = knob(
        "spread",
        "Frames from",
        "Evenly spread from the first frame to the last (two-stream paper), or the middles of as many equal parts (TSN).",
        advanced=True,
    )

    @classmethod
    def parse(cls, text: str) -> Self:
        """`"25x10"`, `"25x10:logits"`, `"25x10:logits:middles"` or, of whole frames, `"25xfull"` → Protocol.

        Raises:
            ValueError: the text is no protocol; says what one looks like.
        """
        match = re.fullmatch(rf"(\d+)x([1-9]\d*|{FULL})(?::(softmax|logits))?(?::(spread|middles))?", text.strip())
        if match is None:
            raise ValueError(Words("“{text}” is not a protocol; write FRAMESxCROPS, for example 25x10, 5x1:logits or 25xfull", text=text))
        crops = 0 if match[2] == FULL else int(match[2])
        how = {"aggregation": match[3] or "softmax", "sampling": match[4] or "spread"}
        return cls.model_validate({"frames": int(match[1]), "crops": crops, **how})

    @property
    def has_whole_frames(self) -> bool:
        """Whether the network sees whole frames, not crops of them."""
        return self.crops == 0

    def short(self) -> str:
        """`25x10`, with what is not the two-stream paper's behind: `25x10:logits:middles`; `25xfull` of whole frames."""
        crops = FULL if self.has_whole_frames else self.crops
        others = (("logits", self.aggregation), ("middles", self.sampling))
        return f"{self.frames}x{crops}" + "".join(f":{other}" for other, chosen in others if chosen == other)

    def title(self) -> Words:
        """`25 × 10`, with what is not the two-stream paper's behind, as in `short`: `5 × 1, scores before softmax`."""
        views = self.views() if self.has_whole_frames else Words("{frames} × {crops}", frames=self.frames, crops=self.crops)
        return joined([views, *self._others()], ", ")

    def brief(self) -> Words:
        """`5 frames × 1 crop`, with the same behind it."""
        return joined([self.views(), *self._others()], ", ")

    def _others(self) -> list[Words]:
        """What is not the two-stream paper's."""
        others = (self.averaged(), self.aggregation == "logits"), (Words("middles of equal parts"), self.sampling == "middles")
        return [words for words, is_other in others if is_other]

    def views(self) -> Words:
        """`5 frames × 1 crop`, `25 whole frames`."""
        if self.has_whole_frames:
            return counted("{count} whole frame", "{count} whole frames", self.frames)
        frames = counted("{count} frame", "{count} frames", self.frames)
        return Words("{frames} × {crops}", frames=frames, crops=counted("{count} crop", "{count} crops", self.crops))

    def averaged(self) -> Words:
        """What of the views is averaged."""
        return Words("class probabilities" if self.aggregation == "softmax" else "scores before softmax")

    def describe(self, num_segments: int = 1) -> Words:
        """A sentence fragment fit to stand beside a number; `num_segments` views are a video (`ExperimentConfig.segments_tested`)."""
        tested = "{views}, fully convolutional, {what} averaged" if self.has_whole_frames else "{views}, {what} averaged"
        parts = [Words(tested, views=self.views(), what=self.averaged())]
        if self.sampling == "middles":
            parts.append(Words("frames from the middles of equal parts"))
        if num_segments > 1:
            parts.append(Words("views grouped into videos of {segments} segments", segments=num_segments))
        return joined(parts)


class FusionConfig(Schema):
    """Streams → one score."""

    method: Literal["average", "weighted", "svm"] = knob(
        "average", "Method", "Average, weighted sum, or a multi-class linear SVM (Crammer–Singer) on the stacked scores."
    )
    normalize: Literal["none", "softmax", "l2"] = knob(
        "softmax",
        "Normalisation",
        "What is fused: raw scores, class probabilities, or L2-normalised class probabilities (the paper's choice for the SVM).",
    )
    weights: tuple[float, ...] = knob((), "Weights", "One per stream, in order, e.g. 1, 1.5; used by the weighted sum.")
    svm_c: float = knob(1.0, "SVM C", "Inverse regularisation of the SVM.", gt=0, le=1e6)
    fit: Literal["validation_scores", "held_out_folds", "training_scores"] = knob(
        "validation_scores",
        "SVM fitted on",
        "Scores of the runs' held-out validation videos; of all training videos, each by a run that was trained without its fold; or of "
        "the videos the networks have learnt, of which they are too sure. Never scores of the test videos.",
    )
    folds: int = knob(
        5, "Folds for the SVM", "Runs of each stream that are trained, each without one fold of the training groups.", ge=2, le=20
    )

    @property
    def fold_runs(self) -> int:
        """How many more runs each stream takes."""
        return self.folds if self.method == "svm" and self.fit == "held_out_folds" else 0
