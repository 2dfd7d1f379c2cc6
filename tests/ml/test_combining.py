"""A dataset enlarged by classes of another one: names, the class map, what is added and what is not."""

import json
from pathlib import Path

import pytest

from ml.__main__ import main
from ml.config.combining import ClassMap, Likeness, likeness, propose
from ml.config.data import FrameSpec, Manifest, Split, VideoEntry
from ml.process import Stop
from ml.video.combining import Uncombinable, combine
from ml.video.manifest import load_manifest, save_manifest
from tests.ml.run_data import write_dataset

HMDB51 = ("climb", "fencing", "golf", "handstand", "jump", "pullup", "ride_horse", "swing_baseball", "walk")


@pytest.mark.parametrize(
    ("name", "like", "is_same"),
    [
        ("Fencing", "fencing", True),
        ("PullUps", "pullup", True),
        ("HorseRiding", "ride_horse", True),
        ("GolfSwing", "golf", False),
        ("RockClimbingIndoor", "climb", False),
        ("WalkingWithDog", "walk", False),
        ("Swing", "swing_baseball", False),
    ],
)
def test_names_of_both_spellings_find_each_other(name: str, like: str, is_same: bool) -> None:
    assert likeness(name, HMDB51) == Likeness(like, is_same)


@pytest.mark.parametrize("name", ["Archery", "HorseRace", "Golfer", "骑马", "🙂", "---", ""])
def test_a_name_that_says_nothing_proposes_nothing(name: str) -> None:
    assert likeness(name, (*HMDB51, "!!", "走路")) is None


def test_names_of_other_scripts_are_the_same_when_they_are_equal_whatever_their_width() -> None:
    assert likeness("挥手", ("走路", "挥手")) == Likeness("挥手", True)
    assert likeness("ＧＯＬＦ", HMDB51) == Likeness("golf", True)


def test_the_same_words_come_before_some_of_them() -> None:
    assert likeness("HandstandWalking", ("walk", "handstand", "walk_handstand")) == Likeness("walk_handstand", True)
    assert likeness("kick_ball_high", ("kick", "kick_ball")) == Likeness("kick_ball", False)


def test_what_the_names_propose_adds_the_classes_that_do_not_intersect_and_joins_only_what_is_certain() -> None:
    second = ("Archery", "Fencing", "GolfSwing")

    assert propose(HMDB51, second).classes == {"Archery": "Archery", "Fencing": "", "GolfSwing": ""}
    assert propose(HMDB51, second, "joined").classes == {"Archery": "Archery", "Fencing": "fencing", "GolfSwing": ""}


def video(name: str, label: str, content: int, group: str = "") -> VideoEntry:
    return VideoEntry(
        key=name, path=f"{label}/{name}.avi", media=f"{content:064x}", label=label, group=group,
        frames=9, fps=25, width=64, height=48, duration_seconds=0.4, size_bytes=1,
    )  # fmt: skip


def dataset(name: str, *videos: VideoEntry, tested: tuple[str, ...] = ()) -> Manifest:
    """Two splits: in “1” the videos in `tested` are for the test and the others for training, in “2” the other way round."""
    subsets = {one.key: "test" if one.key in tested else "train" for one in videos}
    other = {key: "train" if subset == "test" else "test" for key, subset in subsets.items()}
    splits = [Split.model_validate({"name": n, "origin": "official", "subsets": s}) for n, s in (("1", subsets), ("2", other))]
    classes = tuple(dict.fromkeys(one.label for one in videos))
    return Manifest(name=name, layout="folder", classes=classes, videos=videos, splits=tuple(splits))


@pytest.fixture
def first() -> Manifest:
    return dataset(
        "A", video("a0", "golf", 0, "fair"), video("a1", "golf", 1), video("a2", "walk", 2), video("a3", "walk", 3), tested=("a1", "a3")
    )


@pytest.fixture
def second() -> Manifest:
    return dataset("B", video("b0", "Golfing", 10), video("a0", "Archery", 11), video("b2", "Archery", 12), video("b3", "Strolling", 13))


def mapped(**classes: str) -> ClassMap:
    return ClassMap(classes={"Golfing": "", "Archery": "", "Strolling": "", **classes})


def test_added_videos_are_for_training_in_every_split_and_the_tests_stay(first: Manifest, second: Manifest) -> None:
    both = combine(first, second, mapped(Archery="Archery", Strolling="walk"), "A + B")

    assert both.classes == ("golf", "walk", "Archery")
    assert {one.key: one.label for one in both.videos[4:]} == {"a0-2": "Archery", "b2": "Archery", "b3": "walk"}
    for old, new in zip(first.splits, both.splits, strict=True):
        assert {key: new.subsets[key] for key in old.subsets} == old.subsets
        assert {new.subsets[one.key] for one in both.videos[4:]} == {"train"}
    assert "In split “1”, 1 class is never tested: Archery" in [finding.message for finding in both.findings]


def test_several_classes_may_join_one_and_a_new_class_may_have_another_name(first: Manifest, second: Manifest) -> None:
    both = combine(first, second, mapped(Golfing="golf", Archery="golf", Strolling="stroll <b>散步</b>"), "A + B")

    assert [one.label for one in both.videos[4:]] == ["golf", "golf", "golf", "stroll <b>散步</b>"]
    assert both.classes == ("golf", "walk", "stroll <b>散步</b>")


def test_content_that_is_there_already_is_not_added_so_no_test_video_is_trained_on(first: Manifest, second: Manifest) -> None:
    shared = second.replace(videos=(*second.videos, video("again", "Archery", 1)))

    both = combine(first, shared, mapped(Archery="Archery"), "A + B")

    assert [one.key for one in both.videos[4:]] == ["a0-2", "b2"]
    assert both.findings[0].message == "1 video of “B” was not added, with content that is there already"
    assert not [finding for finding in both.findings if finding.kind == "leak"]


def test_groups_are_each_datasets_own_and_a_name_in_both_is_told(first: Manifest, second: Manifest) -> None:
    """“fair” is tested in split 2; the second dataset may mean another fair."""
    related = second.replace(videos=(*second.videos, video("near", "Archery", 20, "fair"), video("far", "Archery", 21, "field")))

    both = combine(first, related, mapped(Archery="Archery"), "A + B")

    assert {one.key: one.group for one in both.videos if one.group} == {"a0": "fair", "near": "fair (B)", "far": "field"}
    assert both.findings[0].message.startswith("Groups of the same name in both datasets are taken for different sources: fair.")


def test_a_leak_of_the_first_dataset_is_found_as_in_an_import(second: Manifest) -> None:
    leaky = dataset("A", video("a0", "golf", 0, "fair"), video("a1", "walk", 1, "fair"), tested=("a1",))

    both = combine(leaky, second, mapped(Archery="Archery"), "A + B")

    assert [one.message for one in both.findings if one.kind == "leak"] == [
        f"Split {split} trains and tests on group fair: golf/a0.avi, walk/a1.avi" for split in ("1", "2")
    ]


def test_a_class_whose_videos_are_all_there_already_is_no_new_class(first: Manifest, second: Manifest) -> None:
    known = second.replace(videos=(*second.videos[:3], video("b3", "Strolling", 3)))

    both = combine(first, known, mapped(Archery="Archery", Strolling="Strolling"), "A + B")

    assert both.classes == ("golf", "walk", "Archery")
    assert [finding.message for finding in both.findings if finding.kind == "empty_class"] == [
        "1 of 4 classes has no video and is left out: Strolling"
    ]


@pytest.mark.parametrize(
    ("change", "class_map", "message"),
    [
        ({}, mapped(), "No video would be added"),
        ({}, ClassMap(classes={"Archery": "Archery"}), "says nothing of Golfing, Strolling"),
        ({}, mapped(Archery="Archery", bowls="bowls"), "“B” has no class bowls"),
        ({"frame_spec": FrameSpec(short_side=128)}, mapped(Archery="Archery"), "stored differently: 256 px, quality 95 and 128 px"),
    ],
)
def test_what_cannot_be_combined_is_refused(
    first: Manifest, second: Manifest, change: dict[str, object], class_map: ClassMap, message: str
) -> None:
    with pytest.raises(Uncombinable, match=message):
        combine(first, second.replace(**change), class_map, "A + B")


def test_a_dataset_is_not_combined_with_itself_and_needs_a_split(first: Manifest, second: Manifest) -> None:
    with pytest.raises(Uncombinable, match="with itself"):
        combine(first, first.replace(name="a copy"), propose(first.classes, first.classes), "twice")
    with pytest.raises(Uncombinable, match="no split"):
        combine(first.replace(splits=()), second, mapped(Archery="Archery"), "A + B")


def test_the_command_prints_a_map_takes_it_back_and_writes_a_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stop, "listen", lambda stop: None)
    folders = [write_dataset(tmp_path / "a"), write_dataset(tmp_path / "b", name="b", classes=("Left", "UpwardMotion"))]
    for folder in folders:
        save_manifest(folder, load_manifest(folder).replace(store=str(tmp_path / "media")))
    datasets = [str(folder) for folder in folders]

    assert main(["combine", *datasets, "--json"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"classes": {"Left": "", "UpwardMotion": "UpwardMotion"}}
    (tmp_path / "map.json").write_text(printed)
    assert main(["combine", *datasets, "--map", str(tmp_path / "map.json"), "--out", str(tmp_path / "both"), "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["videos"], told["added_videos"], told["classes"], told["leaks"]) == (18, 6, 3, 0)
    both = load_manifest(tmp_path / "both")
    assert (both.name, both.classes, both.store) == ("tiny + b", ("left", "right", "UpwardMotion"), str(tmp_path / "media"))


def test_datasets_of_two_stores_and_a_bad_map_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stop, "listen", lambda stop: None)
    datasets = [str(write_dataset(tmp_path / name, name=name, classes=(name, "jump"))) for name in ("a", "b")]
    (tmp_path / "map.json").write_text('{"classes": {"b": 7}}')

    assert main(["combine", *datasets, "--out", str(tmp_path / "both")]) == 1
    assert "different stores" in capsys.readouterr().out
    assert main(["combine", *datasets, "--map", str(tmp_path / "map.json"), "--out", str(tmp_path / "both")]) == 1
    assert "classes.b" in capsys.readouterr().out
    assert not (tmp_path / "both").exists()
