import errno
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ml.commands.inspect import preview
from ml.errors import BadArchive, BadLayout
from ml.video.layouts import recognise
from ml.video.sources import Source, open_sources


def inspect(*sources: str, label: str = "") -> dict[str, Any]:
    parsed = [Source.parse(source) for source in sources]
    with open_sources(parsed) as members:
        return preview(recognise(members, label), parsed, test_fraction=0.3, seed=0)


def make_zip(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_a_preview_counts_classes_groups_and_the_split_that_would_be_made(tmp_path: Path) -> None:
    files = {f"ds/{label}/v_{label}_g{group:02}_c01.avi": "xx" for label in ("Run", "Walk") for group in range(10)}
    make_zip(tmp_path / "a.zip", {**files, "ds/notes.pdf": "x", "ds/.DS_Store": "x", "__MACOSX/ds/._x.avi": "x"})

    found = inspect(str(tmp_path / "a.zip"))

    assert found["layout"] == "folders" and found["layout_title"] == "One folder per class" and found["name"] == "a"
    assert found["classes"] == [{"name": "Run", "videos": 10}, {"name": "Walk", "videos": 10}]
    assert found["splits"] == [{"name": "1", "origin": "generated", "train": 14, "validation": 0, "test": 6}]
    assert (found["num_videos"], found["groups"], found["ungrouped"], found["total_bytes"]) == (20, 20, 0, 40)
    assert [problem["path"] for problem in found["problems"]] == ["ds/notes.pdf"]
    assert len(found["examples"]) == 12 and set(found["examples"]) <= set(files)
    json.dumps(found)


def test_an_upload_without_a_suffix_is_known_by_its_content_and_shown_by_its_name(tmp_path: Path) -> None:
    make_zip(tmp_path / "4f0c", {"run/1.mp4": "x", "walk/2.mp4": "x"})
    (tmp_path / "77aa").write_text("path,label\n1.mp4,jump\n2.mp4,jump\n")

    assert inspect(f"{tmp_path / '4f0c'}::my data.zip")["name"] == "my data"
    assert [each["name"] for each in inspect(f"{tmp_path / '4f0c'}::a.zip", f"{tmp_path / '77aa'}::labels.csv")["classes"]] == ["jump"]


def test_several_sources_are_one_dataset(tmp_path: Path) -> None:
    make_zip(tmp_path / "run.zip", {"run/1.mp4": "x"})
    (tmp_path / "walk" / "walk").mkdir(parents=True)
    (tmp_path / "walk" / "walk" / "1.mp4").write_text("y")

    found = inspect(str(tmp_path / "run.zip"), str(tmp_path / "walk"))

    assert found["classes"] == [{"name": "run", "videos": 1}, {"name": "walk", "videos": 1}]


def test_official_lists_may_come_loose_beside_a_zip_of_videos(tmp_path: Path) -> None:
    make_zip(tmp_path / "v.zip", {"UCF-101/Run/v_Run_g01_c01.avi": "x", "UCF-101/Run/v_Run_g02_c01.avi": "x"})
    (tmp_path / "1").write_text("Run/v_Run_g02_c01.avi 1\n")
    (tmp_path / "2").write_text("Run/v_Run_g01_c01.avi\n")

    found = inspect(str(tmp_path / "v.zip"), f"{tmp_path / '1'}::trainlist01.txt", f"{tmp_path / '2'}::testlist01.txt")

    assert found["layout"] == "ucf101"
    assert found["splits"] == [{"name": "1", "origin": "official", "train": 1, "validation": 0, "test": 1}]
    assert any("at least two classes" in finding["message"] for finding in found["findings"])


@pytest.mark.parametrize("name", ["../../evil.mp4", "/etc/evil.mp4", "C:\\evil.mp4", "clip::b.mp4", "-rf.mp4", "--out=evil.mp4"])
def test_the_name_of_an_upload_is_no_path_and_no_option(name: str, tmp_path: Path) -> None:
    (tmp_path / "id").write_text("x")

    source = Source.parse(f"{tmp_path / 'id'}::{name}")

    assert source.path == tmp_path / "id" and "/" not in source.name and "\\" not in source.name
    assert inspect(f"{tmp_path / 'id'}::{name}", label="run")["examples"] == [source.name]


def test_links_in_a_folder_are_problems_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.mp4").write_text("s")
    (tmp_path / "src" / "run").mkdir(parents=True)
    (tmp_path / "src" / "run" / "1.mp4").write_text("x")
    (tmp_path / "src" / "run" / "link.mp4").symlink_to(tmp_path / "secret" / "s.mp4")
    (tmp_path / "src" / "walk").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "src" / "run" / "pipe.mp4")

    found = inspect(str(tmp_path / "src"))

    assert found["num_videos"] == 1
    assert {problem["path"] for problem in found["problems"]} == {"run/link.mp4", "run/pipe.mp4", "walk"}


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.zip", b"plain text", BadArchive),
        ("a.zip", b"PK\x03\x04 cut off", BadArchive),
        ("a.7z", b"7z\xbc\xaf", BadArchive),
        ("a.tar.gz", b"\x1f\x8b", BadArchive),
        ("a.docx.txt", b"hello", BadLayout),
    ],
)
def test_other_files_are_refused_by_name_with_advice(name: str, content: bytes, error: type[BadArchive], tmp_path: Path) -> None:
    (tmp_path / "id").write_bytes(content)

    with pytest.raises(error) as caught:
        inspect(f"{tmp_path / 'id'}::{name}")
    assert caught.value.advice


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadLayout, match="nowhere does not exist"):
        inspect(str(tmp_path / "nowhere"))


def test_the_command_prints_json_leads_to_no_heavy_library_and_writes_nothing(tmp_path: Path) -> None:
    make_zip(tmp_path / "a.zip", {"跑/1.mp4": "x", "<b>/2.mp4": "x"})
    code = (
        "import sys; from ml.__main__ import main; code = main(sys.argv[1:]); "
        "assert not {'torch', 'numpy', 'cv2', 'av'} & sys.modules.keys(); sys.exit(code)"
    )
    before = sorted(tmp_path.rglob("*"))

    done = subprocess.run(
        [sys.executable, "-c", code, "inspect", str(tmp_path / "a.zip"), "--json"],
        capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip

    assert [each["name"] for each in json.loads(done.stdout)["classes"]] == ["<b>", "跑"]
    assert sorted(tmp_path.rglob("*")) == before


def test_the_real_clips_are_recognised_by_their_csv_in_a_zip_and_in_their_folder(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "fight-surv"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                archive.write(path, f"fight-surv/{path.relative_to(source).as_posix()}")

    for found in (inspect(str(source)), inspect(str(tmp_path / "a.zip"))):
        assert (found["layout"], found["num_videos"], found["groups"]) == ("csv", 300, 72)
        assert found["classes"] == [{"name": "fight", "videos": 150}, {"name": "noFight", "videos": 150}]
        [split] = found["splits"]
        assert split["origin"] == "generated" and split["train"] + split["test"] == 300 and 70 <= split["test"] <= 110
        assert not found["problems"] and not found["findings"]


def test_what_may_not_be_read_is_told_and_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("run/1.mp4", "walk/2.mp4", "walk/locked.mp4", "secret/3.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    scandir, access = os.scandir, os.access

    def guarded(path: str) -> object:  # as the tests may run as root, whom no mode stops
        if str(path).endswith("secret"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    monkeypatch.setattr(os, "access", lambda path, mode: "locked" not in str(path) and access(path, mode))

    assert {problem["path"]: problem["reason"] for problem in inspect(str(tmp_path))["problems"]} == {
        "secret": "The folder cannot be read: Permission denied",
        "walk/locked.mp4": "This user may not read it",
    }


def test_a_class_that_is_spelt_in_two_ways_is_told(tmp_path: Path) -> None:
    found = inspect(str(make_zip(tmp_path / "a.zip", {f"{label}/1.mp4": "x" for label in ("Play Guitar", "play_guitar", "run")})))

    assert [finding["message"] for finding in found["findings"]] == [
        "The classes Play Guitar, play_guitar differ only in capitals, spaces or dashes"
    ]


def test_a_video_of_no_bytes_is_left_out_of_the_counts_before_anything_is_decoded(tmp_path: Path) -> None:
    files = {f"{label}/{number}.mp4": "xx" for label in ("run", "walk") for number in range(4)}
    found = inspect(str(make_zip(tmp_path / "a.zip", {**files, "run/empty.mp4": ""})))
    assert found["num_videos"] == 8 and found["classes"][0] == {"name": "run", "videos": 4}
    assert [(problem["path"], problem["reason"]) for problem in found["problems"]] == [("run/empty.mp4", "The file is empty (0 bytes)")]
    with pytest.raises(BadLayout, match=r"no usable video; run/empty\.mp4"):
        inspect(str(make_zip(tmp_path / "b.zip", {"run/empty.mp4": ""})))


def test_what_is_only_called_zip_is_no_archive_to_unpack(tmp_path: Path) -> None:
    for name, advice in (("cut.zip", "Make or download it again"), ("clips.rar", "Unpack it"), ("clips.zip.001", "Join the parts")):
        (tmp_path / name).write_bytes(b"Rar!" * 10 if "rar" in name else b"<html>")
        with pytest.raises(BadArchive) as caught:
            inspect(str(tmp_path / name))
        assert advice in caught.value.advice
