from pathlib import Path

import pytest

from ml.config.data import Manifest, Split, VideoEntry
from ml.errors import BadLayout
from ml.video.manifest import load_manifest, save_manifest, snapshot_id, store_of


def a_manifest(**changes: object) -> Manifest:
    video = VideoEntry(
        key="k", path="打架/1.mp4", media="0" * 64, label="打架", frames=3, fps=25, width=4, height=4, duration_seconds=1, size_bytes=9
    )
    fields = {"name": "n", "layout": "folders", "classes": ("打架",), "videos": (video,)}
    return Manifest.model_validate({**fields, "splits": (Split(name="1", origin="csv", subsets={"k": "train"}),), **changes})


def test_a_saved_manifest_loads_as_it_was(tmp_path: Path) -> None:
    save_manifest(tmp_path / "ds", a_manifest())

    assert load_manifest(tmp_path / "ds") == a_manifest()
    assert [path.name for path in (tmp_path / "ds").iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("text", "says"),
    [(None, "no dataset"), ("{", "Invalid JSON"), ('{"version": 2}', "version"), (a_manifest().model_dump_json()[:-1] + ',"x":1}', "x: ")],
    ids=["absent", "cut off", "another version", "unknown key"],
)
def test_what_is_no_manifest_is_refused_by_name(text: str | None, says: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(BadLayout, match=says) as caught:
        load_manifest(tmp_path)
    assert str(tmp_path) in str(caught.value) and caught.value.advice


@pytest.mark.parametrize(("store", "expected"), [("media", "ds/media"), ("../shared", "shared")])
def test_the_store_is_relative_to_the_dataset(store: str, expected: str, tmp_path: Path) -> None:
    assert store_of(tmp_path / "ds", a_manifest(store=store)).root == tmp_path / expected


def test_the_store_may_be_absolute(tmp_path: Path) -> None:
    assert store_of(Path("elsewhere"), a_manifest(store=str(tmp_path))).root == tmp_path


def test_a_snapshot_changes_with_the_split_and_the_content_alone() -> None:
    video = a_manifest().videos[0]
    same = [a_manifest(name="other", store="x"), a_manifest(videos=(video.replace(notes=("hello",), path="moved.mp4"),))]
    others = [
        a_manifest(splits=(Split(name="1", origin="csv", subsets={"k": "test"}),)),
        a_manifest(videos=(video.replace(media="1" * 64),)),
        a_manifest(classes=("b", "打架")),
        a_manifest(videos=(video.replace(label="b"),)),
    ]

    assert {snapshot_id(each) for each in same} == {snapshot_id(a_manifest())}
    assert len({snapshot_id(each) for each in [a_manifest(), *others]}) == 5
