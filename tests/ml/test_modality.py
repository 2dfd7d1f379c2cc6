from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest

from ml.config.data import FlowInput, Input, RGBDiffInput, VideoInput
from ml.config.flow import DIS, FlowSpec
from ml.errors import BadPack, MissingFlow
from ml.flow.stacking import flow_input, stack_flow, subtract_mean
from ml.video.manifest import store_of
from ml.video.modality import MODALITIES, modality_of
from ml.video.sampling import snippet_indices
from tests.ml.packed import FLOW, FRAMES, fields, moving, packed_dataset

FIVE = FlowInput(stack_len=5, flow=FLOW)


INPUTS: tuple[type[VideoInput], ...] = get_args(get_args(Input)[0])
EACH = [schema.model_validate({"flow": FLOW} if "flow" in schema.model_fields else {}) for schema in INPUTS]
SHORTEST = [FlowInput(stack_len=1, flow=FLOW, mean_subtraction=False), RGBDiffInput(stack_len=1)]


def test_every_input_that_can_be_asked_for_has_its_row() -> None:
    assert set(MODALITIES) == set(INPUTS)


@pytest.mark.parametrize("seen", [*EACH, *SHORTEST])
def test_a_row_gives_as_many_channels_as_it_says(tmp_path: Path, seen: VideoInput) -> None:
    manifest = packed_dataset(tmp_path, 1)
    row = modality_of(seen)
    with row.open_pack(store_of(tmp_path, manifest), manifest.videos[0].media, "a", FRAMES, seen) as pack:
        composed = row.compose(pack.read(snippet_indices(0, row.snippet_len(seen), len(pack), row.stride(seen))), seen)
    assert composed.shape == (row.channels(seen), 48, 60)
    assert composed.dtype == (np.uint8 if row.levels is None else np.float32), "pixels become floats after they are cropped"
    assert row.rescale(composed, 24).shape == (row.channels(seen), 24, 30)
    assert np.array_equal(row.mirror(row.mirror(composed)), composed)
    assert np.array_equal(row.upend(row.upend(composed)), composed)


def test_mean_subtraction_is_a_choice() -> None:
    stack = fields(5)
    row = modality_of(FIVE)
    assert np.array_equal(row.compose(stack, FIVE), stack_flow(subtract_mean(stack)))
    assert np.array_equal(row.compose(stack, FIVE.replace(mean_subtraction=False)), stack_flow(stack))


@pytest.mark.parametrize("representation", ["flow", "trajectory"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_flow_input_is_composed_as_it_says(representation: str, bidirectional: bool) -> None:
    seen = FlowInput.model_validate({"stack_len": 4, "representation": representation, "bidirectional": bidirectional, "flow": FLOW})
    expected = flow_input(
        fields(4), along_trajectories=representation == "trajectory", is_bidirectional=bidirectional, has_mean_subtracted=True
    )
    assert np.array_equal(modality_of(seen).compose(fields(4), seen), expected)


def test_colour_noise_leaves_flow_alone() -> None:
    stack = stack_flow(fields(5))
    assert np.array_equal(modality_of(FIVE).jitter(stack, 0.5, np.random.default_rng(0)), stack)


def test_differences_are_those_of_consecutive_frames_red_green_and_blue_of_each_in_turn() -> None:
    frames, seen = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3)).astype(np.uint8), RGBDiffInput(stack_len=3)
    composed = modality_of(seen).compose(frames, seen)
    for k in range(3):
        for colour in range(3):
            later, earlier = frames[k + 1, :, :, colour].astype(int), frames[k, :, :, colour].astype(int)
            assert np.array_equal(composed[3 * k + colour], later - earlier)


def test_a_still_picture_has_no_difference_and_what_is_brighter_later_is_positive() -> None:
    dark, bright = (np.full((1, 4, 4, 3), level, np.uint8) for level in (10, 250))
    row, seen = modality_of(RGBDiffInput(stack_len=2)), RGBDiffInput(stack_len=2)
    composed = row.compose(np.concatenate([dark, dark, bright]), seen)
    assert not composed[:3].any() and (composed[3:] == 240).all()
    assert np.array_equal(row.jitter(composed, 0.5, np.random.default_rng(0)), composed), "a colour shift is the same in both frames"


def test_differences_are_mirrored_and_turned_as_pictures_are_and_rescaled_plane_by_plane() -> None:
    seen = RGBDiffInput(stack_len=2)
    row, frames = modality_of(seen), moving(3, 2, 1)
    of_mirrored = row.compose(np.ascontiguousarray(frames[:, :, ::-1]), seen)
    assert np.array_equal(row.mirror(row.compose(frames, seen)), of_mirrored)
    assert np.array_equal(row.upend(row.compose(frames, seen)), row.compose(np.ascontiguousarray(frames[:, ::-1]), seen))
    smaller = [cv2.resize(frame.astype(np.float32), (30, 24), interpolation=cv2.INTER_AREA) for frame in frames]
    expected = np.concatenate([np.moveaxis(b - a, -1, 0) for a, b in pairwise(smaller)])
    np.testing.assert_allclose(row.rescale(row.compose(frames, seen), 24), expected, atol=1e-3)


def test_missing_flow_names_the_video_the_method_what_there_is_and_the_command(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    seen = FlowInput(flow=FlowSpec(method=DIS()))
    with pytest.raises(MissingFlow) as caught:
        modality_of(seen).open_pack(store_of(tmp_path, manifest), manifest.videos[0].media, "a/0.mp4", FRAMES, seen)
    assert str(caught.value) == "a/0.mp4 has no dis flow of the spec asked for"
    heading, *rows = [line.split() for line in caught.value.detail.splitlines()]
    assert heading == ["it", "has", "asked", "for"]
    assert ["method.kind", "farneback", "dis"] in rows and ["method.preset", "–", "medium"] in rows
    assert "quality" not in caught.value.detail  # it is the same
    assert "ml flow DATASET --spec CONFIG.json" in caught.value.advice


def test_missing_flow_where_there_is_none_at_all_says_so(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1, flow=None)
    with pytest.raises(MissingFlow, match="has no farneback flow") as caught:
        modality_of(FIVE).open_pack(store_of(tmp_path, manifest), manifest.videos[0].media, "a", FRAMES, FIVE)
    assert caught.value.detail == ""


def test_a_pack_under_the_wrong_name_shows_both_specs(tmp_path: Path) -> None:
    manifest = packed_dataset(tmp_path, 1)
    store, media = store_of(tmp_path, manifest), manifest.videos[0].media
    other = FlowSpec(method=DIS())
    store.flow(media, FRAMES.spec_id(), FLOW.spec_id()).rename(store.flow(media, FRAMES.spec_id(), other.spec_id()))
    with pytest.raises(BadPack) as caught:
        modality_of(FIVE).open_pack(store, media, "a", FRAMES, FlowInput(flow=other))
    assert ["flow.method.kind", "farneback", "dis"] in [line.split() for line in caught.value.detail.splitlines()]
