import io
import tarfile
from pathlib import Path

import pytest

from ml.commands.inspect import preview
from ml.errors import BadArchive
from ml.process import Stop
from ml.video import tars
from ml.video.ingest import Ingest, Options
from ml.video.layouts import recognise
from ml.video.manifest import load_manifest
from ml.video.members import Members
from ml.video.sources import Source, open_sources
from ml.video.tars import open_tar
from tests.media import draw_video

FILES = {"ds/run/1.mp4": b"one" * 100, "./ds/walk/2.mp4": b"two" * 100, "ds/打/3.mp4": b"three"}
NAMES = {"ds/run/1.mp4": b"one" * 100, "ds/walk/2.mp4": b"two" * 100, "ds/打/3.mp4": b"three"}


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w", *more: tarfile.TarInfo) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        for entry in more:
            archive.addfile(entry)
    return path


def read_tar(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Contents by name, reasons by refused name."""
    members = Members()
    with open_tar(path, "upload.tar", members):
        contents = {}
        for name, member in members.files.items():
            with member.open() as stream:
                contents[name] = stream.read()
    return contents, {problem.path: problem.reason for problem in members.problems}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_read_plain_or_compressed_and_known_by_its_content(mode: str, tmp_path: Path) -> None:
    path = make_tar(tmp_path / "upload", FILES, mode)

    assert read_tar(path) == (NAMES, {})
    source = Source.parse(f"{path}::my clips.tar.gz")
    with open_sources([source]) as members:
        found = preview(recognise(members), [source], test_fraction=0.3, seed=0)
    assert {each["name"] for each in found["classes"]} == {"run", "walk", "打"} and found["name"] == "my clips"


def test_names_that_lead_out_and_what_is_no_file_are_refused_and_the_rest_is_taken(tmp_path: Path) -> None:
    others = []
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        entry = tarfile.TarInfo(f"run/{kind.decode()}.mp4")
        entry.type, entry.linkname = kind, "/etc/passwd"
        others.append(entry)
    hostile = {"../out.mp4": b"x", "/abs/out.mp4": b"x", "run/../../out.mp4": b"x", "..\\out.mp4": b"x", "run/in.zip": b"x"}

    contents, problems = read_tar(make_tar(tmp_path / "a.tar", {**hostile, "run/good.mp4": b"good"}, "w", *others))

    assert contents == {"run/good.mp4": b"good"}
    assert sum("link or a device" in reason for reason in problems.values()) == 5
    assert sum("out of the archive" in reason for reason in problems.values()) == 2  # ..\ and ../ are one name
    assert "absolute" in problems["/abs/out.mp4"] and "archive inside" in problems["run/in.zip"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_that_was_cut_off_is_named_as_such(mode: str, tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"run/1.mp4": bytes(range(256)) * 400, "run/2.mp4": b"x"}, mode)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(BadArchive, match=r"upload\.tar .* was cut off") as caught:
        read_tar(path)
    assert "again" in caught.value.advice


def test_something_else_that_is_compressed_is_no_tar(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", FILES, "w:gz")
    path.write_bytes(b"\x1f\x8b" + path.read_bytes()[40:])

    with pytest.raises(BadArchive, match="is no tar"):
        read_tar(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tars, "RATIO_FREE_BYTES", 2**16)
    path = make_tar(tmp_path / "a.tar.gz", {"run/1.mp4": bytes(2**21)}, "w:gz")

    with pytest.raises(BadArchive, match="2,097,152 bytes"):
        read_tar(path)


def test_a_header_that_would_fill_the_memory_is_an_error(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("run/1.mp4")
    entry.pax_headers = {"comment": "x" * 2**21}
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(entry)

    with pytest.raises(BadArchive, match="a header of"):
        read_tar(tmp_path / "a.tar.gz")


def test_videos_of_a_compressed_tar_are_read_from_front_to_back_whatever_order_a_list_has(tmp_path: Path) -> None:
    clips = {f"{name}.mp4": draw_video(tmp_path / f"{name}.mp4", frames=2, seed=seed).read_bytes() for seed, name in enumerate("cab")}
    rows = b"path,label\na.mp4,run\nb.mp4,walk\nc.mp4,run\n"
    path = make_tar(tmp_path / "a.tgz", {**clips, "list.csv": rows}, "w:gz")
    with open_sources([Source.parse(str(path))]) as members:
        taken = []
        plan = recognise(members)
        ingest = Ingest(plan, tmp_path / "ds", Options(name="ds", store=tmp_path / "media", num_processes=1))
        for event in ingest.run(Stop()):
            taken.append(getattr(event, "message", ""))

    assert [video.path for video in load_manifest(tmp_path / "ds").videos] == ["a.mp4", "b.mp4", "c.mp4"]
    assert [name for name in taken if name] == ["c.mp4", "a.mp4", "b.mp4"]
