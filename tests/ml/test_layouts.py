from collections import Counter
from pathlib import Path

import pytest

from ml.errors import BadLayout
from ml.video.groups import group_of
from ml.video.layouts import recognise
from ml.video.layouts.lists import Finder
from ml.video.layouts.plan import Plan
from ml.video.members import Members
from tests.ml.dataset_files import members_of, videos


def labels(plan: Plan) -> dict[str, str]:
    return {item.member.name: item.label for item in plan.items}


def test_the_first_folder_is_the_class() -> None:
    plan = recognise(members_of(videos("run/1.mp4", "walk/deep/er/2.avi", "run/3.MKV")))

    assert plan.layout == "folders" and plan.classes == ("run", "walk")
    assert labels(plan) == {"run/1.mp4": "run", "walk/deep/er/2.avi": "walk", "run/3.MKV": "run"}
    assert not plan.problems and not plan.splits


def test_folders_around_everything_are_taken_away() -> None:
    plan = recognise(members_of(videos("upload/data/run/1.mp4", "upload/data/walk/2.mp4")))

    assert plan.classes == ("run", "walk")


def test_a_single_class_folder_is_a_class_and_no_wrapper() -> None:
    assert recognise(members_of(videos("run/1.mp4", "run/2.mp4"))).classes == ("run",)


def test_class_names_of_any_script_stay_as_they_are_in_natural_order() -> None:
    names = ["打架", "<b>bold", 'it\'s "quoted"', "🙂", "class 10", "class 9"]
    plan = recognise(members_of(videos(*(f"{name}/1.mp4" for name in names))))

    assert set(plan.classes) == set(names)
    assert plan.classes.index("class 9") < plan.classes.index("class 10")


def test_spaces_around_a_folders_name_are_no_part_of_the_class() -> None:
    members = members_of(videos("run /1.mp4", "run/2.mp4", " walk/3.mp4"))
    members.folders = {"run ", "run", " walk"}

    plan = recognise(members)
    assert plan.classes == ("run", "walk") and not plan.findings


def test_train_and_test_folders_are_a_split() -> None:
    plan = recognise(members_of(videos("ds/Train/run/1.mp4", "ds/Train/walk/1.mp4", "ds/test/run/1.mp4", "ds/val/walk/9.mp4")))

    assert plan.classes == ("run", "walk")
    [split] = plan.splits
    assert (split.name, split.origin) == ("1", "folder")
    assert split.subsets == {
        "ds/Train/run/1.mp4": "train",
        "ds/Train/walk/1.mp4": "train",
        "ds/test/run/1.mp4": "test",
        "ds/val/walk/9.mp4": "validation",
    }


def test_train_and_test_folders_inside_the_classes_are_a_split_too() -> None:
    plan = recognise(members_of(videos("ds/run/train/1.mp4", "ds/run/test/1.mp4", "ds/walk/train/a/1.mp4", "ds/walk/val/2.mp4")))

    assert plan.classes == ("run", "walk")
    assert list(plan.splits[0].subsets.values()) == ["train", "test", "train", "validation"]


def test_folders_inside_the_classes_that_only_may_be_subsets_are_none() -> None:
    assert not recognise(members_of(videos("run/train/1.mp4", "run/cam2/1.mp4", "walk/test/1.mp4"))).splits


def test_train_and_test_folders_without_classes_are_explained() -> None:
    with pytest.raises(BadLayout, match="test and train hold videos, but no class folders"):
        recognise(members_of(videos("train/1.mp4", "test/2.mp4")))


def test_a_class_may_be_called_train() -> None:
    assert recognise(members_of(videos("train/1.mp4", "car/2.mp4"))).classes == ("car", "train")


def test_what_is_no_video_and_what_lies_outside_the_classes_are_problems() -> None:
    plan = recognise(members_of({**videos("run/1.mp4", "loose.mp4"), "run/notes.docx": "x", "README": "x"}))

    assert {problem.path: problem.reason for problem in plan.problems} == {
        "loose.mp4": "It lies in no class folder",
        "run/notes.docx": "It is no video",
        "README": "It is no video",
    }
    assert all(problem.advice for problem in plan.problems)


def test_an_empty_class_folder_is_told() -> None:
    members = members_of(videos("ds/run/1.mp4", "ds/walk/2.mp4"))
    members.folders = {"ds", "ds/run", "ds/walk", "ds/jump", "ds/run/deep"}

    [finding] = recognise(members).findings

    assert finding.kind == "empty_class" and "jump" in finding.message


@pytest.mark.parametrize("files", [{}, {"notes.txt": "x"}, videos("1.mp4", "2.mp4")])
def test_sources_without_classes_are_refused_with_advice(files: dict[str, bytes]) -> None:
    with pytest.raises(BadLayout) as caught:
        recognise(members_of(files))
    assert caught.value.advice


def test_one_label_may_be_given_to_all() -> None:
    plan = recognise(members_of(videos("1.mp4", "x/2.mp4")), label="跑")

    assert plan.classes == ("跑",) and set(labels(plan).values()) == {"跑"}


@pytest.mark.parametrize(
    "text",
    [
        "path,label,subset,group\na/1.mp4,run,train,g1\na/2.mp4,walk,Test,g2\n",
        "\ufeffpath,label,subset,group\r\na/1.mp4,run,train,g1\r\na/2.mp4,walk,test,g2\r\n",
        "path;label;subset;group\na/1.mp4;run;train;g1\na/2.mp4;walk;test;g2\n",
        "Group\tSubset\tLabel\tPath\ng1\ttrain\trun\ta/1.mp4\ng2\ttest\twalk\ta/2.mp4\n",
        'path,label,subset,group\n"a\\1.mp4","run",train,g1\n\n/home/me/ds/a/2.mp4,walk,test,g2',
    ],
    ids=["plain", "mark", "semicolon", "tab", "other machines"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_csv_gives_labels_groups_and_a_split(text: str, encoding: str) -> None:
    plan = recognise(members_of({**videos("ds/a/1.mp4", "a/2.mp4"), "ds/list.csv": text.encode(encoding)}))

    assert plan.layout == "csv" and plan.classes == ("run", "walk") and not plan.problems
    assert [(item.label, item.group) for item in plan.items] == [("run", "g1"), ("walk", "g2")]
    assert plan.splits[0].origin == "csv" and list(plan.splits[0].subsets.values()) == ["train", "test"]


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(BadLayout, match=r"list\.csv has no column label; it has: path, klass") as caught:
        recognise(members_of({**videos("a/1.mp4"), "list.csv": "path,klass\na/1.mp4,run\n"}))
    assert "path,label" in caught.value.advice


def test_a_row_of_an_unknown_subset_is_named_with_those_allowed_and_the_rest_goes_on() -> None:
    rows = "path,label,subset\na/1.mp4,run,dev\na/2.mp4,run,train\n"
    plan = recognise(members_of({**videos("a/1.mp4", "a/2.mp4"), "list.csv": rows}))

    assert plan.splits[0].subsets == {"a/2.mp4": "train"}
    assert plan.problems[0].reason == "Row 2 has the unknown subset dev"
    assert all(word in plan.problems[0].advice for word in ("train", "validation", "val", "test"))


def test_a_csv_none_of_whose_rows_can_be_used_says_what_is_wrong_with_them() -> None:
    with pytest.raises(BadLayout, match=r"no usable video; a/1\.mp4: Row 2 has the unknown subset dev") as caught:
        recognise(members_of({**videos("a/1.mp4"), "readme.txt": "hi", "list.csv": "path,label,subset\na/1.mp4,run,dev\n"}))
    assert caught.value.advice.startswith("Allowed are train")


@pytest.mark.parametrize("content", [b"path,label\na/1.mp4,r\0un\n", b"\xff\xfe\0\0\x81\0", b"PNG\0\xff\xff"])
def test_a_list_of_bytes_that_are_no_text_is_named(content: bytes) -> None:
    with pytest.raises(BadLayout, match=r"list\.csv is no text"):
        recognise(members_of({**videos("a/1.mp4"), "list.csv": content}))


def test_rows_that_cannot_be_used_are_problems_and_the_rest_goes_on() -> None:
    rows = "path,label\na/1.mp4,run\ngone.mp4,run\na/2.mp4,\nsame.mp4,run\na/1.mp4,walk\na/1.mp4,run\n"
    plan = recognise(members_of({**videos("a/1.mp4", "a/2.mp4", "x/same.mp4", "y/same.mp4"), "list.csv": rows}))

    assert labels(plan) == {"a/1.mp4": "run"}
    reasons = {problem.path: problem.reason for problem in plan.problems}
    assert reasons["gone.mp4"] == "Row 3 names it, but it is not there"
    assert reasons["a/2.mp4"] == "Row 4 has no label"
    assert reasons["same.mp4"] == "It may mean x/same.mp4, y/same.mp4"
    assert [finding.message for finding in plan.findings if finding.videos == ("a/1.mp4",)] == [
        "1 row gives a video a second label; the first was taken: a/1.mp4 (2, 6)"
    ]


def test_a_video_in_two_subsets_is_in_the_first_and_told() -> None:
    rows = "path,label,subset\n1.mp4,run,train\n2.mp4,run,test\n1.mp4,run,test\n2.mp4,run,test\n"
    plan = recognise(members_of({**videos("1.mp4", "2.mp4"), "list.csv": rows}))

    assert plan.splits[0].subsets == {"1.mp4": "train", "2.mp4": "test"} and not plan.problems
    assert [finding.message for finding in plan.findings] == ["1 row gives a video a second subset; the first was taken: 1.mp4 (2, 4)"]


def test_a_csv_that_fits_no_file_says_what_it_names_and_what_is_there() -> None:
    with pytest.raises(BadLayout, match=r"e\.g\. clip1\.mp4") as caught:
        recognise(members_of({**videos("a/1.mp4"), "list.csv": "path,label\nclip1.mp4,run\n"}))
    assert "a/1.mp4" in caught.value.advice


def test_videos_without_a_row_or_without_a_subset_are_told() -> None:
    plan = recognise(members_of({**videos("1.mp4", "2.mp4", "3.mp4"), "list.csv": "path,label,subset\n1.mp4,run,train\n2.mp4,run,\n"}))

    assert [(finding.kind, finding.videos) for finding in plan.findings] == [("unlisted", ("3.mp4",)), ("unlisted", ("2.mp4",))]
    assert plan.splits[0].subsets == {"1.mp4": "train"}


def test_two_lists_at_one_level_are_ambiguous() -> None:
    with pytest.raises(BadLayout, match="2 CSV lists"):
        recognise(members_of({**videos("1.mp4"), "a.csv": "path,label\n1.mp4,x", "b.csv": "path,label\n1.mp4,y"}))


UCF_LISTS = {
    "ucfTrainTestlist/classInd.txt": "1 Surfing\n2 Archery\n3 Typing\n",
    "ucfTrainTestlist/trainlist01.txt": "Archery/v_Archery_g02_c01.avi 2\r\nSurfing/v_Surfing_g02_c01.avi 1\r\n",
    "ucfTrainTestlist/testlist01.txt": "Archery/v_Archery_g01_c01.avi\r\nSurfing/v_Surfing_g01_c01.avi\r\n",
    "ucfTrainTestlist/trainlist02.txt": "Archery/v_Archery_g01_c01.avi 2\n",
    "ucfTrainTestlist/testlist02.txt": "Archery/v_Archery_g02_c01.avi\n",
}


def test_the_ucf101_lists_give_classes_in_their_order_groups_and_all_splits() -> None:
    names = ["UCF-101/Archery/v_Archery_g01_c01.avi", "UCF-101/Archery/v_Archery_g02_c01.avi", "UCF-101/Surfing/v_Surfing_g02_c01.avi"]
    plan = recognise(members_of({**UCF_LISTS, **videos(*names, "UCF-101/Typing/v_Typing_g09_c01.avi", "UCF-101/Other/x.avi")}))

    assert plan.layout == "ucf101" and plan.classes == ("Surfing", "Archery", "Typing")
    assert [(split.name, Counter(split.subsets.values())) for split in plan.splits] == [
        ("1", Counter(train=2, test=1)),
        ("2", Counter(train=1, test=1)),
    ]
    assert {item.group for item in plan.items} == {"Archery_g01", "Archery_g02", "Surfing_g02", "Typing_g09"}
    kinds = {finding.kind: finding for finding in plan.findings}
    assert kinds["missing"].videos == ("Surfing/v_Surfing_g01_c01.avi",)
    assert kinds["unlisted"].videos == ("UCF-101/Typing/v_Typing_g09_c01.avi",)
    assert [problem.path for problem in plan.problems] == ["UCF-101/Other/x.avi"]


def test_a_class_that_the_index_does_not_know_is_named() -> None:
    with pytest.raises(BadLayout, match="does not know the class Archery"):
        recognise(members_of({**UCF_LISTS, "ucfTrainTestlist/classInd.txt": "1 Surfing\n", **videos("Archery/v_Archery_g01_c01.avi")}))


def test_the_hmdb51_lists_give_all_splits_and_leave_out_code_0() -> None:
    files = {
        "wave_test_split1.txt": "A_wave_u_nm_np1_ba_goo_0.avi 1 \nB_wave_u_nm_np1_ba_goo_0.avi 2 \nC_wave_u_nm_np1_ba_goo_0.avi 0 \n",
        "wave_test_split2.txt": "A_wave_u_nm_np1_ba_goo_0.avi 2 \nB_wave_u_nm_np1_ba_goo_0.avi 1 \n",
        "sit_test_split1.txt": "D_sit_u_nm_np1_ba_goo_0.avi 2 \n",
    }
    names = [f"hmdb/wave/{letter}_wave_u_nm_np1_ba_goo_0.avi" for letter in "ABC"] + ["hmdb/sit/D_sit_u_nm_np1_ba_goo_0.avi"]
    plan = recognise(members_of({**files, **videos(*names)}))

    assert plan.layout == "hmdb51" and plan.classes == ("sit", "wave") and len(plan.items) == 4
    assert plan.splits[0].subsets == {names[0]: "train", names[1]: "test", names[3]: "test"}
    assert plan.splits[1].subsets == {names[0]: "test", names[1]: "train"}
    assert not plan.findings and not plan.problems


def test_a_class_of_an_endless_name_is_refused() -> None:
    with pytest.raises(BadLayout, match="longer than 200"):
        recognise(members_of({"trainlist01.txt": f"{'x' * 300}/v.avi 1", **videos("a/v.avi")}))


@pytest.mark.parametrize(("line", "says"), [("v_Archery_g01_c01.avi 1", "is not Class/video.avi")], ids=["no class"])
def test_a_damaged_list_is_named_with_its_line(line: str, says: str) -> None:
    with pytest.raises(BadLayout, match=f"trainlist01.txt: {line} {says}"):
        recognise(members_of({"trainlist01.txt": line, **videos("Archery/v_Archery_g01_c01.avi")}))


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("x/v_ApplyEyeMakeup_g08_c01.avi", "ApplyEyeMakeup_g08"),
        ("x/v_HandStandPushups_g25_c07.mp4", "HandStandPushups_g25"),
        ("April_09_brush_hair_u_nm_np1_ba_goo_0.avi", "April_09_brush_hair"),
        ("prelinger_LetsBeGo1953_wave_u_cm_np10_ba_med_2.avi", "prelinger_LetsBeGo1953_wave"),
        ("my_clip.mp4", ""),
    ],
)
def test_groups_are_read_from_the_names_of_ucf101_and_hmdb51(name: str, group: str) -> None:
    assert group_of(name) == group


def test_a_listed_file_is_found_whatever_folder_either_side_begins_with() -> None:
    finder = Finder(members_of(videos("ds/run/1.mp4", "walk/1.mp4", "2.mp4")).files.values())

    found = {listed: [member.name for member in finder.find(listed)] for listed in ("run/1.mp4", "./walk/1.mp4", "any/2.mp4", "jump/1.mp4")}

    assert found == {"run/1.mp4": ["ds/run/1.mp4"], "./walk/1.mp4": ["walk/1.mp4"], "any/2.mp4": ["2.mp4"], "jump/1.mp4": []}


def official(folder: Path, prefix: str) -> Members:
    """The real lists and, for each line, a file of that name."""
    lists = {path.name: path.read_text() for path in sorted(folder.glob("*.txt")) if path.name != "class_list.txt"}
    names = {}
    for file_name, text in lists.items():
        label = file_name.partition("_test_split")[0] + "/" if "_test_split" in file_name else ""
        for line in text.splitlines():
            name = line.strip().removesuffix(" 0").removesuffix(" 1").removesuffix(" 2")
            if ".avi" in name:
                names[prefix + label + name.partition(".avi")[0] + ".avi"] = b"."
    return members_of({**lists, **names})


def test_the_real_ucf101_lists_have_their_published_sizes_and_no_group_on_both_sides(real_data: Path) -> None:
    plan = recognise(official(real_data / "annotations" / "ucf101", "UCF-101/"))

    counts = [Counter(split.subsets.values()) for split in plan.splits]
    assert counts == [Counter(train=9537, test=3783), Counter(train=9586, test=3734), Counter(train=9624, test=3696)]
    assert len(plan.items) == 13320 and len(plan.classes) == 101 and plan.classes[0] == "ApplyEyeMakeup"
    assert not plan.problems and not plan.findings
    assert len({item.group for item in plan.items}) == 101 * 25
    assert_groups_whole(plan)


def test_the_real_hmdb51_lists_have_their_published_sizes_and_no_group_on_both_sides(real_data: Path) -> None:
    plan = recognise(official(real_data / "annotations" / "hmdb51", "hmdb51_org/"))

    assert [Counter(split.subsets.values()) for split in plan.splits] == [Counter(train=3570, test=1530)] * 3
    assert len(plan.items) == 6766 and len(plan.classes) == 51 and all(item.group for item in plan.items)
    by_label = Counter(item.label for item in plan.items if plan.splits[0].subsets.get(item.member.name) == "test")
    assert set(by_label.values()) == {30}
    assert_groups_whole(plan)


def assert_groups_whole(plan: Plan) -> None:
    for split in plan.splits:
        sides: dict[str, set[str]] = {}
        for item in plan.items:
            if item.member.name in split.subsets:
                sides.setdefault(item.group, set()).add(split.subsets[item.member.name])
        assert all(len(side) == 1 for side in sides.values())
