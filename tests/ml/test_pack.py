import errno
import io
import os
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ml.config.data import FrameSpec
from ml.config.flow import DIS, FlowSpec
from ml.errors import BadPack, BadVideo
from ml.video import pack as module
from ml.video.arrays import Pixels
from ml.video.blobs import HEADER, VERSION, BlobFile, read_stamp, write_blobs
from ml.video.pack import FlowPack, FramePack, reduced_size, write_flow_pack, write_frame_pack
from tests.ml.packed import FLOW, FRAMES, fields, moving


@pytest.fixture
def frame_pack(tmp_path: Path) -> Path:
    write_frame_pack(tmp_path / "frames.pack", moving(7, 2, 1), FRAMES)
    return tmp_path / "frames.pack"


def test_frames_come_back_as_opencv_stores_them_in_any_order(frame_pack: Path) -> None:
    frames = moving(7, 2, 1)
    with FramePack(frame_pack, FRAMES) as pack:
        assert len(pack) == 7
        read = pack.read([5, 0, 5])
    for got, number in zip(read, (5, 0, 5), strict=True):
        _, jpeg = cv2.imencode(".jpg", frames[number][:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, FRAMES.quality])
        assert np.array_equal(got, np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))[:, :, ::-1])
    assert np.abs(read.astype(int) - frames[[5, 0, 5]]).mean() < 2


def test_a_frame_is_kept_as_the_plain_jpeg_that_any_decoder_takes(frame_pack: Path) -> None:
    with BlobFile(frame_pack, {key: value for key, value in read_stamp(frame_pack).items() if key != "made_with"}) as blobs:
        image = Image.open(io.BytesIO(blobs[3]))
    assert image.format == "JPEG" and image.mode == "RGB" and "progressive" not in image.info
    with FramePack(frame_pack, FRAMES) as pack:
        assert np.abs(np.asarray(image).astype(int) - pack.read([3])[0]).max() <= 2


def test_colours_stay_red_green_blue(tmp_path: Path) -> None:
    red = np.full((1, 32, 32, 3), (200, 30, 60), np.uint8)
    write_frame_pack(tmp_path / "p", red, FRAMES)
    with FramePack(tmp_path / "p", FRAMES) as pack:
        assert np.abs(pack.read([0]).astype(int) - red).max() <= 3


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(640, 480, (64, 48)), (480, 640, (48, 64)), (60, 40, (60, 40)), (1000, 49, (980, 48))]
)
def test_the_short_side_is_reduced_and_never_enlarged(tmp_path: Path, width: int, height: int, expected: tuple[int, int]) -> None:
    assert reduced_size(width, height, FRAMES.short_side) == expected
    write_frame_pack(tmp_path / "p", np.zeros((1, height, width, 3), np.uint8), FRAMES)
    with FramePack(tmp_path / "p", FRAMES) as pack:
        assert pack.read([0]).shape == (1, expected[1], expected[0], 3)


def test_the_size_that_is_told_is_the_size_of_the_file(tmp_path: Path) -> None:
    assert write_frame_pack(tmp_path / "p", moving(3, 1, 0), FRAMES) == (tmp_path / "p").stat().st_size
    assert write_flow_pack(tmp_path / "f", fields(3), FLOW, FRAMES) == (tmp_path / "f").stat().st_size


def test_a_field_kept_in_its_own_range_is_off_by_little_more_than_half_a_level(tmp_path: Path) -> None:
    written = fields(4)
    written[1] *= 7
    spec = FLOW.replace(quality=100)
    write_flow_pack(tmp_path / "f", written, spec, FRAMES)
    with FlowPack(tmp_path / "f", spec, FRAMES) as pack:
        read = pack.read(range(4))
    assert read.shape == written.shape and read.dtype == np.float32
    level = (written.max(axis=(2, 3)) - written.min(axis=(2, 3))) / 255
    error = np.abs(read - written).max(axis=(2, 3)) / level
    assert error.max() <= 0.5 + 1.01  # JPEG at quality 100 rounds once more


def test_a_field_kept_in_a_fixed_bound_is_clipped_there_and_zero_stays_zero(tmp_path: Path) -> None:
    spec = FlowSpec(method=DIS(), encoding="bound", bound=4, quality=100)
    written = np.zeros((2, 2, 32, 32), np.float32)
    written[1, 0], written[1, 1] = 9, -9
    write_flow_pack(tmp_path / "f", written, spec, FRAMES)
    with FlowPack(tmp_path / "f", spec, FRAMES) as pack:
        read = pack.read([0, 1])
    assert np.array_equal(read[0], written[0])
    assert read[1, 0] == pytest.approx(4, abs=8 / 255) and read[1, 1] == pytest.approx(-4, abs=8 / 255)


def test_a_number_beyond_the_end_is_refused_with_what_there_is(frame_pack: Path) -> None:
    with FramePack(frame_pack, FRAMES) as pack, pytest.raises(IndexError, match="0 to 6, asked for 7"):
        pack.read([7])


def test_every_truncation_is_noticed(frame_pack: Path) -> None:
    whole = frame_pack.read_bytes()
    for size in (0, 5, HEADER.size - 1, HEADER.size, HEADER.size + 40, len(whole) // 2, len(whole) - 1):
        frame_pack.write_bytes(whole[:size])
        with pytest.raises(BadPack) as caught:
            FramePack(frame_pack, FRAMES)
        assert str(frame_pack) in str(caught.value) and caught.value.advice


def test_a_flipped_bit_anywhere_is_noticed_before_it_is_used(frame_pack: Path) -> None:
    whole = frame_pack.read_bytes()
    for position in (9, 30, HEADER.size + 3, HEADER.size + 200, len(whole) // 2, len(whole) - 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        frame_pack.write_bytes(damaged)
        with pytest.raises(BadPack), FramePack(frame_pack, FRAMES) as pack:
            pack.read(range(7))


def test_a_foreign_file_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(BadPack, match="is no pack"):
        FramePack(tmp_path / "p", FRAMES)


def test_a_pack_of_another_version_says_both_versions(frame_pack: Path) -> None:
    data = bytearray(frame_pack.read_bytes())
    data[8] = VERSION + 1
    frame_pack.write_bytes(data)
    with pytest.raises(BadPack, match=rf"version {VERSION + 1}; this program reads version {VERSION}"):
        FramePack(frame_pack, FRAMES)


def test_a_missing_pack_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BadPack, match="is not there") as caught:
        FramePack(tmp_path / "none.pack", FRAMES)
    assert "again" in caught.value.advice


def test_another_spec_shows_both(tmp_path: Path) -> None:
    write_flow_pack(tmp_path / "f", fields(1), FLOW, FRAMES)
    with pytest.raises(BadPack) as caught:
        FlowPack(tmp_path / "f", FlowSpec(method=DIS()), FRAMES)
    assert ["flow.method.kind", "farneback", "dis"] in [line.split() for line in caught.value.detail.splitlines()]
    with pytest.raises(BadPack) as caught:
        FlowPack(tmp_path / "f", FLOW, FrameSpec(short_side=64))
    assert caught.value.detail.splitlines()[1:] == ["frames.short_side  48      64"]


def test_frames_are_no_flow(frame_pack: Path) -> None:
    with pytest.raises(BadPack, match="another spec"):
        FlowPack(frame_pack, FLOW, FRAMES)


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def frames() -> Iterator[Pixels]:
        yield from moving(2, 1, 1)
        raise BadVideo("cut off")

    with pytest.raises(BadVideo, match="cut off"):
        write_frame_pack(tmp_path / "p", frames(), FRAMES)
    assert list(tmp_path.iterdir()) == []


def test_no_frames_one_of_another_size_and_no_fields_are_bad_videos(tmp_path: Path) -> None:
    with pytest.raises(BadVideo, match="No frame"):
        write_frame_pack(tmp_path / "p", [], FRAMES)
    with pytest.raises(BadVideo, match="Frame 1 is 30×20, those before it 60×48"):
        write_frame_pack(tmp_path / "p", [moving(1, 0, 0)[0], np.zeros((20, 30, 3), np.uint8)], FRAMES)
    with pytest.raises(BadVideo, match="needs two frames"):
        write_flow_pack(tmp_path / "f", [], FLOW, FRAMES)


def _checksum(path: Path) -> int:
    with FramePack(path, FRAMES) as pack:
        return zlib.crc32(pack.read(range(len(pack))).tobytes())


def test_many_threads_and_another_process_read_the_same(frame_pack: Path) -> None:
    expected = _checksum(frame_pack)
    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(_checksum, [frame_pack] * 8)) == {expected}
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(_checksum, (frame_pack,)) == expected


def test_the_stamp_can_be_read_alone(tmp_path: Path) -> None:
    stamp = {"kind": "方", "n": [1, 2]}
    write_blobs(tmp_path / "b", stamp, [b"", b"x"], {"maker": "3.1"})
    assert read_stamp(tmp_path / "b") == {**stamp, "made_with": {"maker": "3.1"}}


def test_a_pack_says_which_versions_made_it_and_opens_with_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "installed_versions", lambda _names: {"av": "0.1"})
    write_flow_pack(tmp_path / "f", fields(1), FLOW, FRAMES)
    monkeypatch.undo()
    assert read_stamp(tmp_path / "f")["made_with"] == {"av": "0.1"}
    write_frame_pack(tmp_path / "p", moving(1, 0, 0), FRAMES)
    assert read_stamp(tmp_path / "p")["made_with"]["opencv-contrib-python-headless"].startswith(cv2.__version__)
    with FlowPack(tmp_path / "f", FLOW, FRAMES) as pack:
        assert len(pack) == 1


def test_a_pack_that_is_cut_short_while_it_is_open_is_an_error_and_no_crash(frame_pack: Path) -> None:
    with FramePack(frame_pack, FRAMES) as pack:
        os.truncate(frame_pack, 4096)
        with pytest.raises(BadPack, match="cut short: it ends before byte"):
            pack.read([6])


def test_a_pack_that_is_replaced_while_it_is_open_is_read_to_its_end(frame_pack: Path) -> None:
    with FramePack(frame_pack, FRAMES) as old:
        before = old.read(range(7))
        write_frame_pack(frame_pack, moving(2, 0, 3), FRAMES)
        assert np.array_equal(old.read(range(7)), before)
        with FramePack(frame_pack, FRAMES) as new:
            assert len(new) == 2


def test_a_disk_that_fails_is_an_error_of_the_pack(frame_pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(*_: object) -> bytes:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with FramePack(frame_pack, FRAMES) as pack:
        monkeypatch.setattr(os, "pread", stale)
        with pytest.raises(BadPack, match="cannot be read: Stale file handle"):
            pack.read([0])
