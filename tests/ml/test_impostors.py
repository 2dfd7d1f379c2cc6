from pathlib import Path

import cv2
import pytest

from ml.errors import BadVideo
from ml.video.probe import probe
from tests.media import draw_video, picture


def encoded(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, picture(0))[1].tobytes())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (encoded(".jpg"), "It is a picture"),
        (encoded(".png"), "It is a picture"),
        (encoded(".webp"), "It is a picture"),
        (b"\0\0\0\x18ftypheic" + bytes(2000), "It is a picture"),
        (b"ID3\x04" + bytes(2000), "sound but no video"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "sound but no video"),
        (b"\n<!DOCTYPE html><html>404</html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "pointer of Git LFS"),
        (b"Rar!\x1a\x07\x00", "It is an archive"),
        (bytes(5000), "nothing but zeros"),
        (b"any text", "no video, or its header is missing"),
    ],
)
def test_what_is_only_called_a_video_is_told_by_what_it_is(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)

    with pytest.raises(BadVideo, match=says) as caught:
        probe(tmp_path / "clip.mp4")
    assert caught.value.advice


def test_an_mp4_without_its_index_was_cut_off(tmp_path: Path) -> None:
    path = draw_video(tmp_path / "clip.mp4", frames=40)
    path.write_bytes(path.read_bytes()[:-400])

    with pytest.raises(BadVideo, match="cut off: the index"):
        probe(path)
