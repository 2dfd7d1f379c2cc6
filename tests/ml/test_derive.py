import errno
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from ml.config.data import FrameSpec
from ml.config.store import MediaStore
from ml.errors import BadVideo, UserError
from ml.process import process_table, temporary_beside
from ml.video import derive as module
from ml.video.derive import derive
from ml.video.leftovers import ABANDONED_SECONDS, remove_leftovers
from ml.video.pack import FramePack
from tests.media import draw_cut_stream, draw_hidden_start, draw_sound, draw_video

MEDIA = "ab" * 32


def a_store(folder: Path, frames: int = 6) -> MediaStore:
    """A store with one original."""
    store = MediaStore(folder)
    draw_video(store.original(MEDIA), frames=frames, container="mp4")
    return store


def test_another_frame_spec_makes_another_pack_beside_the_first(tmp_path: Path) -> None:
    store, specs = a_store(tmp_path), [FrameSpec(), FrameSpec(short_side=32)]

    assert derive(store, MEDIA, specs[0]) == derive(store, MEDIA, specs[1])

    shapes = []
    for spec in specs:
        with FramePack(store.frames(MEDIA, spec.spec_id()), spec) as pack:
            shapes.append((len(pack), *pack.read([0]).shape))
    assert shapes == [(6, 1, 48, 64, 3), (6, 1, 32, 43, 3)]


@pytest.mark.parametrize("missing", ["proxy.mp4", "poster.jpg", "facts.json"])
def test_what_is_missing_is_made_anew(missing: str, tmp_path: Path) -> None:
    store = a_store(tmp_path)
    facts = derive(store, MEDIA, FrameSpec())
    (store.folder(MEDIA) / missing).unlink()

    assert derive(store, MEDIA, FrameSpec()) == facts
    assert (store.folder(MEDIA) / missing).is_file()


def test_a_full_disk_is_no_fault_of_the_video_and_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = a_store(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "write_frame_pack", full)

    with pytest.raises(UserError, match="disk is full") as caught:
        derive(store, MEDIA, FrameSpec())
    assert not isinstance(caught.value, BadVideo)
    assert [path.name for path in store.folder(MEDIA).iterdir()] == ["original"]


def test_a_video_with_endless_frames_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FRAMES", 5)

    with pytest.raises(BadVideo, match="more than 5 frames"):
        derive(a_store(tmp_path), MEDIA, FrameSpec())
    assert [path.name for path in MediaStore(tmp_path).folder(MEDIA).iterdir()] == ["original"]


def test_a_turned_video_is_kept_upright(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    draw_video(store.original(MEDIA), rotation=90, container="mp4")

    facts = derive(store, MEDIA, FrameSpec())

    assert (facts.width, facts.height) == (48, 64)
    with FramePack(store.frames(MEDIA, FrameSpec().spec_id()), FrameSpec()) as pack:
        assert pack.read([0]).shape == (1, 64, 48, 3)


def test_a_large_video_is_kept_at_the_short_side_asked_for(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    draw_video(store.original(MEDIA), width=4096, height=2160, frames=2, codec="mjpeg", pixel_format="yuvj420p", container="avi")

    facts = derive(store, MEDIA, FrameSpec())

    assert (facts.width, facts.height, facts.frames) == (4096, 2160, 2)
    with FramePack(store.frames(MEDIA, FrameSpec().spec_id()), FrameSpec()) as pack:
        assert pack.read([0]).shape == (1, 256, 485, 3)


@pytest.mark.parametrize(
    ("container", "settings"),
    [("matroska", {"options": {"g": "6", "bf": "0"}}), ("avi", {"codec": "mpeg4"})],
    ids=["matroska", "avi"],
)
def test_a_cut_off_video_keeps_what_can_be_read_and_says_how_much(container: str, settings: dict[str, Any], tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    draw_cut_stream(store.original(MEDIA), container=container, **settings)

    facts = derive(store, MEDIA, FrameSpec())

    assert 20 < facts.frames < 60
    assert facts.notes == (f"cut off or damaged: {facts.frames} of 60 frames could be read",)
    with FramePack(store.frames(MEDIA, FrameSpec().spec_id()), FrameSpec()) as pack:
        assert len(pack) == facts.frames


@pytest.mark.parametrize("is_cut", [False, True])
def test_where_only_the_duration_is_known_a_variable_rate_is_no_cut_and_a_cut_is_told_in_seconds(is_cut: bool, tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    times = [0.04 * index + 0.2 * (index // 3) for index in range(60)]  # a steady rate would make 155 frames of it
    draw = draw_cut_stream if is_cut else draw_video
    draw(store.original(MEDIA), frames=60, container="matroska", times=times, options={"g": "6", "bf": "0"})

    notes = derive(store, MEDIA, FrameSpec()).notes

    assert notes[-1] == "variable frame rate"
    assert [re.sub(r"[0-9.]+", "N", note) for note in notes[:-1]] == ["cut off or damaged: N of N seconds could be read"] * is_cut


def test_frames_that_an_edit_list_hides_are_not_missing(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.folder(MEDIA).mkdir(parents=True)
    draw_hidden_start(tmp_path / "phone.mp4").rename(store.original(MEDIA))

    facts = derive(store, MEDIA, FrameSpec())

    assert facts.frames == 20 and facts.notes == ()


def test_what_is_no_video_leaves_nothing_behind(tmp_path: Path) -> None:
    store = MediaStore(tmp_path)
    store.folder(MEDIA).mkdir(parents=True)
    draw_sound(tmp_path / "sound.mp4").rename(store.original(MEDIA))

    with pytest.raises(BadVideo, match="no video stream"):
        derive(store, MEDIA, FrameSpec())
    assert [path.name for path in store.folder(MEDIA).iterdir()] == ["original"]


def test_temporary_files_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    mine = temporary_beside(tmp_path / "proxy.mp4").name
    of_the_dead = mine.replace(f"-{os.getpid()}.", "-999999999.")
    for name in (mine, of_the_dead, ".other.tmp", "proxy.mp4"):
        (tmp_path / name).touch()

    remove_leftovers(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {mine, ".other.tmp", "proxy.mp4"}


@pytest.mark.parametrize("name", [".proxy.mp4.00c0ffee-999999999.tmp", ".proxy.mp4.999999999.tmp"], ids=["machine", "older version"])
def test_temporary_files_of_another_machine_go_only_when_a_day_old(name: str, tmp_path: Path) -> None:
    elsewhere, now = tmp_path / name, time.time()
    elsewhere.touch()
    for age, stays in ((60, True), (ABANDONED_SECONDS + 60, False)):
        os.utime(elsewhere, (now - age, now - age))
        remove_leftovers(tmp_path)
        assert elsewhere.exists() == stays


def test_two_containers_of_one_machine_never_write_under_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = temporary_beside(tmp_path / "proxy.mp4")
    process_table.cache_clear()
    monkeypatch.setattr("os.readlink", lambda _path: "pid:[4026539999]")
    elsewhere = temporary_beside(tmp_path / "proxy.mp4")
    process_table.cache_clear()
    assert here != elsewhere and here.parent == elsewhere.parent
