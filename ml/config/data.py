"""Datasets on disk, and what a network sees of a video."""

from typing import Annotated, Literal

from pydantic import Field

from ml.config.flow import FlowSpec
from ml.config.schema import Schema, Text, knob

Subset = Literal["train", "validation", "test"]
CropPolicy = Literal["anywhere", "corners", "multiscale"]


class FrameSpec(Schema):
    """How decoded frames are stored in a frame pack."""

    short_side: int = knob(
        256, "Stored short side", "Frames are reduced to this short side; smaller ones are kept as they are.", ge=32, le=1080, unit="px"
    )
    quality: int = knob(95, "JPEG quality", "Quality of the stored frames.", ge=50, le=100)


class VideoEntry(Schema):
    """One video of a dataset. `media` is the SHA-256 of the file: the key of everything derived from it."""

    key: str
    path: str
    media: str = Field(pattern=r"^[0-9a-f]{64}$")
    label: str
    group: str = ""
    frames: int
    fps: float
    width: int
    height: int
    duration_seconds: float
    size_bytes: int
    codec: str = ""
    notes: tuple[Text, ...] = ()


class Refusal(Schema):
    """A file that did not get in, why, and what to do about it."""

    path: str
    reason: Text
    advice: Text = ""


class Finding(Schema):
    """Something the user should know about the data: a leak, a duplicate, an empty class."""

    kind: Literal["leak", "duplicate", "empty_class", "unlisted", "missing", "note"]
    message: Text
    videos: tuple[str, ...] = ()


class Split(Schema):
    """One official or generated partition: video key → subset."""

    name: str
    origin: Literal["official", "csv", "folder", "generated"]
    subsets: dict[str, Subset]


class Manifest(Schema):
    """A dataset: `manifest.json` in its folder. `store` is the media store, relative to that folder."""

    version: Literal[1] = 1
    name: str
    layout: str
    store: str = "media"
    frame_spec: FrameSpec = FrameSpec()
    classes: tuple[str, ...]
    videos: tuple[VideoEntry, ...]
    splits: tuple[Split, ...] = ()
    refused: tuple[Refusal, ...] = ()
    findings: tuple[Finding, ...] = ()


class VideoInput(Schema):
    """What is asked of every input, whatever its knobs; one that differs says so."""

    @property
    def reads_flow(self) -> FlowSpec | None:
        """The stored flow that it is made of; None: it is made of frames."""
        return None


class RGBInput(VideoInput):
    """Single RGB frames: what the spatial stream sees."""

    modality: Literal["rgb"] = "rgb"


class FlowInput(VideoInput):
    """Stacked optical flow (two-stream paper, section 3.1): what the temporal stream sees."""

    modality: Literal["flow"] = "flow"
    stack_len: int = knob(
        10, "Stack length L", "Consecutive flow fields in one input; the network gets 2L channels.", ge=1, le=25, unit="fields"
    )
    representation: Literal["flow", "trajectory"] = knob(
        "flow", "Representation", "Displacements at the same place in every field (eq. 1), or along the path of each point (eq. 2)."
    )
    bidirectional: bool = knob(
        False, "Bi-directional", "Half of the fields lead onward from the middle frame, half back from it, instead of all from the first."
    )
    mean_subtraction: bool = knob(True, "Subtract mean flow", "Take each field's mean displacement away: a cheap answer to camera motion.")
    flow: FlowSpec = knob(FlowSpec(), "Optical flow", "Must be the spec of an extracted cache; a missing one is extracted first.")

    @property
    def reads_flow(self) -> FlowSpec:
        return self.flow


class RGBDiffInput(VideoInput):
    """Stacked differences of consecutive RGB frames (TSN, section 3.2): motion without optical flow."""

    modality: Literal["rgb_diff"] = "rgb_diff"
    stack_len: int = knob(
        5, "Stack length L", "Consecutive differences in one input; the network gets 3L channels.", ge=1, le=25, unit="differences"
    )


class RGBStackInput(VideoInput):
    """A clip of RGB frames in one input: what slow fusion sees."""

    modality: Literal["rgb_stack"] = "rgb_stack"
    clip_len: int = knob(11, "Frames L", "Frames of a clip, one input; the network gets 3L channels.", ge=8, le=25, unit="frames")
    frame_stride: int = knob(
        1, "Frame stride", "From each frame of a clip to the next; 1 takes consecutive frames.", ge=1, le=32, unit="frames"
    )


Input = Annotated[RGBInput | FlowInput | RGBDiffInput | RGBStackInput, Field(discriminator="modality")]


class OtherDataset(Schema):
    """A dataset that a run learns beside its own."""

    dataset: str = knob("", "Dataset", "Folder of the dataset.")
    split: str = knob("1", "Split", "Name of its partition into train and test; empty: that of the run's own.")


class DataConfig(Schema):
    """Which videos, and how a snippet is cut from them."""

    dataset: str = knob("", "Dataset", "Folder of the dataset (the site fills this in).")
    split: str = knob("1", "Split", "Name of the partition into train and test.")
    also: tuple[OtherDataset, ...] = knob(
        (),
        "Further datasets",
        "Multi-task learning: datasets that share the network but for the last layer; every batch holds as many videos of each.",
    )
    input: Input = knob(RGBInput(), "Input", "What the network sees.")
    num_segments: int = knob(
        1,
        "Segments K",
        "Equal parts of a video that each give one snippet of a training input (TSN: 3); 1 is the two-stream net.",
        ge=1,
        le=25,
    )
    short_side: int = knob(256, "Rescaled short side", "Videos are rescaled to this short side before cropping.", ge=32, le=1080, unit="px")
    crop_size: int = knob(224, "Crop", "Side of the square the network sees.", ge=32, le=512, unit="px")
    crop_policy: CropPolicy = knob(
        "anywhere",
        "Training crops",
        "From anywhere in the picture (two-stream paper), from its corners and centre (NFMML), or from 13 places with jittered height and "
        "width (TSN).",
    )
    smallest_window: float = knob(
        0.66,
        "Smallest window",
        "Of windows with jittered size (1, 0.875, 0.75 and 0.66 of the short side) the smallest; TSN's authors take 0.75 for flow and "
        "differences.",
        ge=0.5,
        le=1,
        advanced=True,
    )
    flip: bool = knob(True, "Horizontal flip", "Mirror half of the training inputs; mirrored flow has x negated.")
    vertical_flip: bool = knob(
        False, "Vertical flip", "Turn half of the training inputs upside down, as NFMML does; flow has y negated.", advanced=True
    )
    color_jitter: float = knob(
        0.0,
        "RGB jitter",
        "Standard deviation of Krizhevsky's PCA colour noise (the paper: 0.1); flow and differences ignore it.",
        ge=0,
        le=1,
        advanced=True,
    )
    validation_fraction: float = knob(
        0.1,
        "Held-out validation",
        "Share of the training groups kept for the validation curve when the split brings no validation subset; never from the test set.",
        ge=0,
        le=0.5,
    )
    validation_folds: int = knob(
        0,
        "Group folds",
        "Deal the training groups out to so many folds, the same for every run of a split, and hold one of them out instead of a share; "
        "0: a share, or what the split brings.",
        ge=0,
        le=20,
        advanced=True,
    )
    validation_fold: int = knob(1, "Held-out fold", "Which of the folds is held out.", ge=1, le=20, advanced=True)

    @property
    def others(self) -> tuple[OtherDataset, ...]:
        """The further datasets, each with the name of its split."""
        return tuple(other.replace(split=other.split or self.split) for other in self.also)

    @property
    def held_out_fold(self) -> tuple[int, int] | None:
        """(fold, of how many), where one is held out."""
        return (self.validation_fold, self.validation_folds) if self.validation_folds else None
