from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from ml.errors import BadVideo
from ml.video.decode import decode_timed
from ml.video.proxy import proxy_size, write_poster, write_proxy
from tests.media import KINDS, draw_kind, draw_sound, draw_video, picture


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_is_h264_in_mp4_with_the_same_frames_at_the_same_times(kind: str, tmp_path: Path) -> None:
    path = draw_kind(kind, tmp_path)
    write_proxy(path, tmp_path / "proxy.mp4")

    with av.open(str(tmp_path / "proxy.mp4")) as container:
        assert "mp4" in container.format.name
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert not container.streams.audio
    times = [frame.seconds for frame in decode_timed(path)]
    assert [frame.seconds for frame in decode_timed(tmp_path / "proxy.mp4")] == pytest.approx(times, abs=2e-3)


def test_the_index_of_a_proxy_stands_before_its_pictures(tmp_path: Path) -> None:
    write_proxy(draw_video(tmp_path / "a.avi", codec="mpeg4"), tmp_path / "proxy.mp4")

    data = (tmp_path / "proxy.mp4").read_bytes()

    assert data.index(b"moov") < data.index(b"mdat")


def test_a_proxy_lasts_as_long_as_its_video(tmp_path: Path) -> None:
    write_proxy(draw_video(tmp_path / "a.avi", codec="mpeg4", frames=25), tmp_path / "proxy.mp4")

    reader = cv2.VideoCapture(str(tmp_path / "proxy.mp4"))
    assert reader.get(cv2.CAP_PROP_FRAME_COUNT) == 25
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(25, rel=0.01)
    reader.release()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((320, 240), (320, 240)),
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((35, 33), (36, 32)),
        ((8000, 100), (1280, 16)),
        ((1, 1), (2, 2)),
    ],
)
def test_a_proxy_is_even_and_within_720p(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert proxy_size(*size) == expected


def test_a_poster_is_the_frame_in_the_middle(tmp_path: Path) -> None:
    write_poster(draw_video(tmp_path / "a.mkv", codec="ffv1", pixel_format="bgr0", frames=21), tmp_path / "poster.jpg")

    poster = cv2.imread(str(tmp_path / "poster.jpg"))
    assert poster is not None
    distances = [np.abs(poster[:, :, ::-1].astype(int) - picture(index)).mean() for index in range(21)]
    assert int(np.argmin(distances)) == 10


@pytest.mark.parametrize("write", [write_proxy, write_poster])
def test_nothing_is_left_behind_when_the_file_is_no_video(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = draw_sound(tmp_path / "sound.mp4")

    with pytest.raises(BadVideo):
        write(path, tmp_path / "out" / "file")
    assert list(tmp_path.rglob("*")) in ([path], [path, tmp_path / "out"], [tmp_path / "out", path])
