import importlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import ml.torchvision_shim  # noqa: F401 - torchvision imports only after it
from ml.flow.color import color_flow, color_wheel
from ml.flow.preview import full_speed, write_flow_preview
from ml.video.decode import decode_frames
from ml.video.pack import FlowPack, write_flow_pack
from ml.video.probe import probe
from tests.ml.packed import FLOW, FRAMES, fields

vision = importlib.import_module("torchvision.utils")


def test_colours_are_torchvisions_when_nothing_is_faster_than_full_speed() -> None:
    field = fields(1)[0]
    fastest = float(np.hypot(*field).max())
    expected = vision.flow_to_image(torch.from_numpy(field)).permute(1, 2, 0).numpy()
    assert np.abs(color_flow(field, fastest).astype(int) - expected).max() <= 1


def test_the_wheel_is_torchvisions() -> None:
    assert np.array_equal(color_wheel(), vision._make_colorwheel().numpy())


def test_what_stands_still_is_white() -> None:
    assert (color_flow(np.zeros((2, 4, 5), np.float32), 1.0) == 255).all()


def test_opposite_directions_have_different_hues_and_faster_is_more_saturated() -> None:
    field = np.zeros((2, 1, 4), np.float32)
    field[0, 0] = (-2, 2, 1, 9)
    left, right, slow, too_fast = color_flow(field, 2.0)[0].astype(int)
    assert np.abs(left - right).max() > 150
    assert slow.min() > right.min() and too_fast.max() < right.max()


def test_the_preview_has_a_frame_for_each_of_the_videos_and_even_sides(tmp_path: Path) -> None:
    write_flow_pack(tmp_path / "f", fields(6, height=33, width=47), FLOW, FRAMES)
    with FlowPack(tmp_path / "f", FLOW, FRAMES) as pack:
        size = write_flow_preview(tmp_path / "flow.mp4", pack, 12.5)
        expected = color_flow(pack.read([3])[0], full_speed(pack))
    assert size == (tmp_path / "flow.mp4").stat().st_size
    facts = probe(tmp_path / "flow.mp4")
    assert (facts.width, facts.height) == (48, 34) and facts.fps == pytest.approx(12.5)
    frames = list(decode_frames(tmp_path / "flow.mp4"))
    assert len(frames) == 7
    assert np.abs(frames[3][:33, :47].astype(int) - expected).mean() < 12


def test_the_preview_of_a_fast_video_has_fewer_frames_and_lasts_as_long(tmp_path: Path) -> None:
    write_flow_pack(tmp_path / "f", fields(11), FLOW, FRAMES)
    with FlowPack(tmp_path / "f", FLOW, FRAMES) as pack:
        write_flow_preview(tmp_path / "flow.mp4", pack, 50)
        expected = color_flow(pack.read([8])[0], full_speed(pack))
    facts = probe(tmp_path / "flow.mp4")
    assert facts.fps == pytest.approx(12.5) and facts.duration_seconds == pytest.approx(12 / 50)
    frames = list(decode_frames(tmp_path / "flow.mp4"))
    assert len(frames) == 3
    assert np.abs(frames[2].astype(int) - expected).mean() < 12


def test_a_large_field_has_a_smaller_preview_of_the_same_colours(tmp_path: Path) -> None:
    write_flow_pack(tmp_path / "f", fields(2, height=240, width=320), FLOW, FRAMES)
    with FlowPack(tmp_path / "f", FLOW, FRAMES) as pack:
        write_flow_preview(tmp_path / "flow.mp4", pack, 25)
        whole = color_flow(pack.read([0])[0], full_speed(pack))
    small = next(decode_frames(tmp_path / "flow.mp4"))
    assert small.shape == (128, 172, 3)  # 171 and one for 4:2:0
    expected = cv2.resize(whole, (171, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(small[:, :171].astype(int) - expected).mean() < 12


def test_a_still_video_keeps_its_colours_pale(tmp_path: Path) -> None:
    write_flow_pack(tmp_path / "f", fields(2) * 0.001, FLOW, FRAMES)
    with FlowPack(tmp_path / "f", FLOW, FRAMES) as pack:
        assert full_speed(pack) == 1.0
