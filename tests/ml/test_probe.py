from pathlib import Path

import cv2
import pytest

from ml.errors import BadVideo
from ml.video.probe import probe
from tests.media import draw_kind, draw_truncated, draw_video


@pytest.mark.parametrize("kind", ["h264", "hevc", "mpeg4_avi", "matroska", "vp9", "odd_sized"])
def test_facts_agree_with_opencv(kind: str, tmp_path: Path) -> None:
    path = draw_kind(kind, tmp_path)
    reader = cv2.VideoCapture(str(path))

    facts = probe(path)

    assert facts.frames == 8
    assert facts.fps == pytest.approx(reader.get(cv2.CAP_PROP_FPS))
    assert (facts.width, facts.height) == (reader.get(cv2.CAP_PROP_FRAME_WIDTH), reader.get(cv2.CAP_PROP_FRAME_HEIGHT))
    assert facts.duration_seconds == pytest.approx(8 / 25, abs=0.05)
    reader.release()


def test_a_turned_video_has_its_displayed_size(tmp_path: Path) -> None:
    facts = probe(draw_video(tmp_path / "upright.mp4", width=64, height=48, rotation=90))

    assert (facts.width, facts.height) == (48, 64)


def test_the_codec_and_the_usual_suffixes_are_told(tmp_path: Path) -> None:
    facts = probe(draw_kind("wrong_extension", tmp_path))

    assert facts.codec == "mpeg4" and facts.suffixes == {".avi"}


def test_the_codec_is_called_by_its_name_and_not_by_its_decoders(tmp_path: Path) -> None:
    assert probe(draw_kind("av1", tmp_path)).codec == "av1"


def test_a_cut_off_video_still_says_how_many_frames_it_had(tmp_path: Path) -> None:
    assert probe(draw_truncated(tmp_path / "cut.mp4", frames=60)).frames == 60


def test_a_video_whose_every_frame_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="decoded"):
        probe(draw_truncated(tmp_path / "cut.mp4", keep=0.0))
