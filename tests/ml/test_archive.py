import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.config.store import MediaStore
from ml.errors import BadArchive, BadVideo
from ml.video.archive import open_zip
from ml.video.deposit import deposit
from ml.video.members import Members
from ml.video.names import is_ignorable, natural_key, why_unsafe


def make_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def read_zip(path: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Contents by name, reasons by refused name."""
    members = Members()
    with open_zip(path, "upload.zip", members):
        contents = {}
        for name, member in members.files.items():
            with member.open() as stream:
                contents[name] = stream.read()
    return contents, {problem.path: problem.reason for problem in members.problems}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.mp4", "out of the archive"),
        ("a/../../out.mp4", "out of the archive"),
        ("/etc/out.mp4", "absolute"),
        ("C:/out.mp4", "absolute"),
        ("a\x01.mp4", "control"),
        ("a//b.mp4", "no plain path"),
        ("a/./b.mp4", "no plain path"),
        ("..\\out.mp4", "out of the archive"),
        ("/".join("abcdefghijklmnopq") + "/x.mp4", "deep"),
        ("x" * 300 + ".mp4", "too long"),
    ],
)
def test_an_unsafe_name_is_refused_and_the_rest_is_taken(name: str, reason: str, tmp_path: Path) -> None:
    contents, problems = read_zip(make_zip(tmp_path / "a.zip", (name, b"bad"), ("fight/good.mp4", b"good")))

    assert contents == {"fight/good.mp4": b"good"}
    assert len(problems) == 1 and reason in next(iter(problems.values()))
    assert all(letter.isprintable() for letter in next(iter(problems)))


@pytest.mark.parametrize("name", ["fight\\a.mp4", "./fight/a.mp4", ".\\fight\\a.mp4"])
def test_a_name_as_windows_and_tar_write_it_is_tidied(name: str, tmp_path: Path) -> None:
    assert read_zip(make_zip(tmp_path / "a.zip", (name, b"good"))) == ({"fight/a.mp4": b"good"}, {})


def test_a_method_that_python_cannot_undo_is_told_before_anything_is_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", b"x" * 100))
    data = bytearray(path.read_bytes())
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 10, 9)  # Deflate64, as Windows packs large files
    path.write_bytes(data)

    assert "method that is not read" in read_zip(path)[1]["fight/a.mp4"]


def test_a_name_with_nul_is_refused_whole_not_cut(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a_b.mp4", b"bad"))
    path.write_bytes(path.read_bytes().replace(b"a_b.mp4", b"a\0b.mp4"))

    contents, problems = read_zip(path)

    assert contents == {} and "control" in problems["fight/a\\x00b.mp4"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int, tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("fight/link.mp4")
    entry.external_attr = (kind | 0o777) << 16

    contents, problems = read_zip(make_zip(tmp_path / "a.zip", (entry, b"/etc/passwd"), ("fight/good.mp4", b"good")))

    assert list(contents) == ["fight/good.mp4"] and "link" in problems["fight/link.mp4"]


@pytest.mark.parametrize("name", ["inner.zip", "inner.rar", "inner.tar.gz", "INNER.7Z"])
def test_an_archive_inside_is_a_problem(name: str, tmp_path: Path) -> None:
    _, problems = read_zip(make_zip(tmp_path / "a.zip", (f"fight/{name}", b"PK")))

    assert "archive inside" in problems[f"fight/{name}"]


def test_an_encrypted_member_is_a_problem(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", b"secret"))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))

    assert "encrypted" in read_zip(path)[1]["fight/a.mp4"]


def test_of_two_files_of_one_name_the_first_is_taken(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", b"first"), ("fight/a.mp4", b"second"))

    contents, problems = read_zip(path)

    assert contents == {"fight/a.mp4": b"first"} and "second file" in problems["fight/a.mp4"]


@pytest.mark.parametrize(
    "name", ["fight/Icon\r", "fight/@eaDir/a.mp4/x", ".DS_Store", "fight/.DS_Store", "__MACOSX/fight/._a.mp4", "fight/._a.mp4", "Thumbs.db"]
)
def test_what_systems_scatter_about_is_ignored_silently(name: str, tmp_path: Path) -> None:
    assert is_ignorable(name)
    assert read_zip(make_zip(tmp_path / "a.zip", (name, b"x"))) == ({}, {})


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("打架/视频.mp4".encode("gb18030"), "打架/视频.mp4"),
        ("打架/视频.mp4".encode(), "打架/视频.mp4"),
        ("café/a.mp4".encode("cp437"), "café/a.mp4"),
        ("Fußball/ü.mp4".encode("cp437"), "Fußball/ü.mp4"),
        ("cafe\u0301/a.mp4".encode(), "café/a.mp4"),
    ],
)
def test_names_in_old_encodings_are_read_as_they_were_meant(raw: bytes, expected: str, tmp_path: Path) -> None:
    placeholder = "x" * len(raw)
    path = make_zip(tmp_path / "a.zip", (placeholder, b"data"))
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), raw))

    assert list(read_zip(path)[0]) == [expected]


def test_a_bomb_is_refused_from_its_directory_alone(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", bytes(40 * 2**20)), compression=zipfile.ZIP_DEFLATED)

    with pytest.raises(BadArchive, match="unpack to 41,943,040 bytes"):
        read_zip(path)


def test_a_member_that_lies_about_its_size_is_cut_off_and_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", bytes(3 * 2**20)), compression=zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    assert struct.unpack_from("<I", data, at) == (3 * 2**20,)
    struct.pack_into("<I", data, at, 1000)
    path.write_bytes(bytes(data))

    with pytest.raises(BadVideo):
        read_zip(path)


def test_a_damaged_member_fails_alone(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", b"AAAA" * 100), ("fight/b.mp4", b"BBBB" * 100))
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"AAXA", 1))
    members = Members()

    with open_zip(path, "a.zip", members):
        with pytest.raises(BadVideo, match="damaged"), members.files["fight/a.mp4"].open() as stream:
            stream.read()
        with members.files["fight/b.mp4"].open() as stream:
            assert stream.read() == b"BBBB" * 100


def test_a_zip_that_was_cut_off_is_named_as_such(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", ("fight/a.mp4", b"x" * 1000))
    path.write_bytes(path.read_bytes()[:500])

    with pytest.raises(BadArchive, match=r"upload\.zip is damaged or was cut off") as caught:
        read_zip(path)
    assert "again" in caught.value.advice


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), max_size=5, unique=True))
def test_whatever_an_archive_calls_its_members_nothing_is_written_outside_the_store(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in [*names, *(f"../{name}" for name in names), *(f"/{folder}/{name}" for name in names)]:
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, name.encode())
    (folder / "a.zip").write_bytes(buffer.getvalue())
    store = MediaStore(folder / "store")
    members = Members()

    with open_zip(folder / "a.zip", "a.zip", members):
        media = {deposit(store, member)[0] for member in members.files.values()}

    written = {path for path in folder.rglob("*") if path.is_file()} - {folder / "a.zip"}
    assert written == {store.original(each) for each in media}
    assert all(not why_unsafe(name) for name in members.files)


def test_numbers_in_names_sort_as_numbers() -> None:
    assert sorted(["b10", "b9", "a", "B1", "打2", "打10"], key=natural_key) == ["a", "B1", "b9", "b10", "打2", "打10"]
