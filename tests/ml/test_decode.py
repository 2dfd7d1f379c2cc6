from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from ml.errors import BadVideo
from ml.video.decode import decode_frames, decode_timed
from tests.media import KINDS, draw_headless, draw_kind, draw_sound, draw_truncated, draw_video, picture, write_playlist


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_video_gives_all_its_frames_upright_in_rgb(kind: str, tmp_path: Path) -> None:
    path = draw_kind(kind, tmp_path)
    expected = KINDS[kind][1].get("frames", 8)

    frames = list(decode_frames(path))

    assert len(frames) == expected
    height, width, channels = frames[0].shape
    assert channels == 3 and frames[0].dtype == np.uint8 and frames[0].flags.c_contiguous
    red = frames[0][height // 8, width // 8].astype(int)
    assert kind == "grey" or red[0] > red[2] + 80, "the corner top left is red"


def test_a_grey_video_has_three_equal_channels(tmp_path: Path) -> None:
    frame = next(decode_frames(draw_kind("grey", tmp_path)))

    assert (frame == frame[..., :1]).all()
    grey = cv2.cvtColor(picture(0), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(frame[..., 0], grey, atol=2)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_frames_are_turned_as_opencv_turns_them(rotation: int, tmp_path: Path) -> None:
    path = draw_video(tmp_path / "turned.mp4", rotation=rotation)
    reader = cv2.VideoCapture(str(path))

    for pixels in decode_frames(path):
        _, expected = reader.read()
        assert pixels.shape == expected.shape
        assert np.abs(pixels.astype(int) - expected[:, :, ::-1]).mean() < 3
    reader.release()


def test_a_lossless_video_comes_back_as_it_was_drawn(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "exact.mkv", codec="ffv1", pixel_format="bgr0")

    for index, pixels in enumerate(decode_frames(path)):
        np.testing.assert_array_equal(pixels, picture(index))


def test_times_of_a_variable_frame_rate_are_kept(tmp_path: Path) -> None:
    times = [0, 0.04, 0.2, 0.24, 0.6]
    path = draw_video(tmp_path / "vfr.mp4", frames=5, times=times)

    assert [frame.seconds for frame in decode_timed(path)] == pytest.approx(times, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("b.avi", {"options": {"bf": "2", "g": "12"}}), ("xvid.avi", {"codec": "mpeg4", "options": {"bf": "2"}}), ("b.mkv", {})],
)
def test_a_steady_rhythm_is_steady_though_frames_were_stored_out_of_order(name: str, settings: dict[str, Any], tmp_path: Path) -> None:
    path = draw_video(tmp_path / name, frames=40, **settings)

    assert [frame.seconds for frame in decode_timed(path)] == pytest.approx([index / 25 for index in range(40)], abs=2e-3)


def test_times_begin_at_zero_and_rise_where_the_file_says_nothing_of_them(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "raw.h264", container="h264", options={"bf": "0"})

    seconds = [frame.seconds for frame in decode_timed(path)]

    assert len(seconds) == 8 and seconds[0] == 0
    assert all(later > earlier for earlier, later in pairwise(seconds))


def test_a_video_that_changes_its_size_keeps_the_first(tmp_path: Path) -> None:
    small, large = (
        draw_video(tmp_path / f"{width}.h264", width=width, height=width, container="h264", options={"bf": "0"}) for width in (32, 64)
    )
    small.write_bytes(small.read_bytes() + large.read_bytes())

    assert [pixels.shape for pixels in decode_frames(small)] == [(32, 32, 3)] * 16


def test_a_cut_off_video_gives_the_frames_before_the_cut(tmp_path: Path) -> None:
    frames = list(decode_frames(draw_truncated(tmp_path / "cut.mp4", frames=60)))

    assert 10 < len(frames) < 60
    np.testing.assert_allclose(frames[5], picture(5), atol=60)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda path: path.write_bytes(b""), "empty"),
        (lambda path: path.write_bytes(b"hello" * 100), "no video"),
        (draw_headless, "cut off"),
        (draw_sound, "sound but no video"),
    ],
    ids=["empty", "text", "headless", "sound"],
)
def test_what_is_no_video_is_refused_in_plain_words(draw, says: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.mp4"
    draw(path)

    with pytest.raises(BadVideo, match=says) as caught:
        list(decode_frames(path))
    assert caught.value.advice


def test_a_playlist_called_mp4_opens_no_other_file(tmp_path: Path) -> None:
    target = draw_video(tmp_path / "secret.mp4")
    playlist = write_playlist(tmp_path / "list.mp4", target)
    with av.open(str(playlist)) as careless:
        assert careless.format.name == "concat", "FFmpeg left alone follows it"

    with pytest.raises(BadVideo, match="no video"):
        list(decode_frames(playlist))


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "huge.mkv", codec="ffv1", width=8200, height=16, frames=1)

    with pytest.raises(BadVideo, match="8200×16"):
        list(decode_frames(path))


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_video(tmp_path / "plain.mp4").rename(tmp_path / "concat:plain.mp4")
    monkeypatch.chdir(tmp_path)

    assert len(list(decode_frames(Path("concat:plain.mp4")))) == 8
