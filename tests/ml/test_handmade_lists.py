"""Lists as Excel, scripts and people write them."""

import pytest

from ml.errors import BadLayout
from ml.video.layouts import recognise
from ml.video.layouts.plan import Plan
from tests.ml.dataset_files import members_of, videos

FILES = videos("a/1.mp4", "a/2.mp4", "b/3.mp4")
PLAIN = "path,label\na/1.mp4,run\na/2.mp4,walk\nb/3.mp4,run\n"
LABELS = {"a/1.mp4": "run", "a/2.mp4": "walk", "b/3.mp4": "run"}


def read(content: str | bytes, name: str = "list.csv", **others: str) -> Plan:
    return recognise(members_of({**FILES, name: content, **{key.replace("_", "."): text for key, text in others.items()}}))


def labels(plan: Plan) -> dict[str, str]:
    return {item.member.name: item.label for item in plan.items}


@pytest.mark.parametrize(
    "content",
    [
        "\n\n" + PLAIN,
        "sep=;\r\n" + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        '"sep=,"\n' + PLAIN,
        "# my clips, spring\n#\n" + PLAIN.replace("b/3", "# the last\nb/3"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", " "),
        PLAIN.replace("path,label", "路径，标签").replace(",", "，"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", ",,,\n") + ",,,\n",
        PLAIN.partition("\n")[2],
        PLAIN.replace("a/", "C:\\Users\\me\\a\\"),
        PLAIN.replace(".mp4", ""),
        PLAIN.replace(".mp4", ".avi"),
        PLAIN.replace(".mp4", ".MP4").replace("a/", "A/"),
        PLAIN.replace("a/", "https://example.org/a/"),
        "\ufeff" + PLAIN,
        PLAIN.encode("utf-16"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
    ],
    ids=[
        "empty lines", "sep", "sep in quotes", "remarks", "bars", "spaces", "Chinese commas", "old Mac", "empty columns", "no header",
        "Windows paths", "no ending", "another ending", "capitals", "addresses", "mark", "utf-16", "utf-16 little", "utf-16 big",
    ],
)  # fmt: skip
def test_a_list_is_read_however_it_was_written(content: str | bytes) -> None:
    plan = read(content)

    assert labels(plan) == LABELS and plan.layout == "csv" and not plan.problems


@pytest.mark.parametrize(
    "header",
    [
        "file,class",
        "filename,category",
        "video,action",
        "name,label",
        "Video Name,Class-Name",
        "filepath,target",
        "文件,标签",
        "video_id,label",
    ],
)
def test_columns_may_be_called_what_people_call_them(header: str) -> None:
    assert labels(read(PLAIN.replace("path,label", header))) == LABELS


def test_of_two_columns_of_paths_the_one_that_is_called_so_counts() -> None:
    assert labels(read("name,path,label\nx,a/1.mp4,run\ny,a/2.mp4,walk\nz,b/3.mp4,run\n")) == LABELS


@pytest.mark.parametrize(
    ("encoding", "run", "walk"), [("cp1252", "Läufer", "Fußgänger"), ("gbk", "跑步", "走路 慢"), ("latin-1", "corrida", "ação")]
)
def test_a_list_in_an_old_encoding_has_the_letters_that_were_meant(encoding: str, run: str, walk: str) -> None:
    plan = read(PLAIN.replace("run", run).replace("walk", walk).encode(encoding))

    assert set(plan.classes) == {run, walk}


@pytest.mark.parametrize("number", ["\n\n", "# a remark\n\n", "sep=,\n\n"], ids=["empty lines", "remark", "sep"])
def test_rows_keep_their_numbers_in_the_file(number: str) -> None:
    plan = read(number + PLAIN + "gone.mp4,run\n")

    assert plan.problems[0].reason == "Row 7 names it, but it is not there"


def test_a_quotation_mark_that_is_not_closed_is_named_with_its_row() -> None:
    with pytest.raises(BadLayout, match=r"list\.csv: a quotation mark in row 3 is not closed"):
        read('path,label\na/1.mp4,run\n"a/2.mp4,walk\nb/3.mp4,run\n')


@pytest.mark.parametrize("words", ["train,validation,test", "Training,valid,TESTING", "train,validate,test"])
def test_subsets_may_be_called_what_people_call_them(words: str) -> None:
    cells = zip(PLAIN.splitlines(), ["split", *words.split(",")], strict=True)

    assert list(read("\n".join(map(",".join, cells))).splits[0].subsets.values()) == ["train", "validation", "test"]


@pytest.mark.parametrize("names", [("train.csv", "val.csv", "test.csv"), ("my_train_list.txt", "my_val_list.txt", "my_test_list.txt")])
def test_one_list_a_subset_is_one_dataset(names: tuple[str, ...]) -> None:
    lists = {name: f"path,label\n{line}\n" for name, line in zip(names, PLAIN.splitlines()[1:], strict=True)}
    plan = recognise(members_of({**FILES, **lists}))

    assert labels(plan) == LABELS and not plan.problems
    assert plan.splits[0].subsets == {"a/1.mp4": "train", "a/2.mp4": "validation", "b/3.mp4": "test"}


NUMBERS = PLAIN.replace("run", "0").replace("walk", "1")


@pytest.mark.parametrize(
    ("rows", "name", "classes"),
    [
        (NUMBERS, "classes.txt", "run\nwalk\n"),
        (NUMBERS.replace("0\n", "2\n"), "classes.txt", "walk\nrun\n"),
        (NUMBERS, "classInd.txt", "0 run\n1 walk\n"),
        (NUMBERS, "label_map.txt", "run\nwalk\n"),
        (NUMBERS, "classes.csv", "id,name\n0,run\n1,walk\n"),
        (NUMBERS, "ucf_labels.csv", "name,id\nrun,0\nwalk,1\n"),
        (NUMBERS.partition("\n")[2].replace(",", " "), "label_map.txt", "run\nwalk\n"),
    ],
    ids=["from 0", "from 1", "index", "map", "csv", "names first", "no header"],
)
def test_labels_that_are_numbers_get_the_names_of_a_list_of_classes(rows: str, name: str, classes: str) -> None:
    plan = recognise(members_of({**FILES, "list.txt": rows, name: classes}))

    assert labels(plan) == LABELS and set(plan.classes) == {"run", "walk"} and not plan.problems and not plan.findings


def test_a_number_that_the_list_of_classes_lacks_is_refused_and_numbers_without_such_a_list_are_told() -> None:
    plan = recognise(members_of({**FILES, "list.csv": NUMBERS.replace("mp4,1", "mp4,7"), "classes.txt": "run\nwalk\n"}))
    assert [(problem.path, problem.reason) for problem in plan.problems] == [
        ("a/2.mp4", "Row 3 has the class number 7, which classes.txt does not know")
    ]

    plan = read(NUMBERS)
    assert plan.classes == ("0", "1") and "are numbers" in plan.findings[0].message


def test_a_table_of_other_things_is_left_out_where_folders_tell_the_classes_and_refused_where_they_do_not() -> None:
    weather = "date,weather\n2024-01-01,sunny\n"
    plan = read(weather)
    assert plan.layout == "folders" and plan.problems[0].path == "list.csv" and "no column path" in plan.problems[0].reason

    with pytest.raises(BadLayout, match="no column path and no column label; it has: date, weather"):
        recognise(members_of({**videos("all/1.mp4", "all/2.mp4"), "list.csv": weather}))


def test_tables_beside_videos_in_class_folders_are_no_lists() -> None:
    poses = {f"{name}.csv": "frame,label,x\n1,head,0.5\n" for name in ("a/1", "a/2", "b/3")}
    plan = recognise(members_of({**FILES, **poses}))

    assert plan.layout == "folders" and plan.classes == ("a", "b") and {problem.path for problem in plan.problems} == set(poses)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("Charades_v1_train.csv", "id,subject,actions\n1,HR43,c092 11.90 21.20;c147 0.00 12.60\n", "one label here"),
        ("train.json", '[{"id": "1", "template": "Holding [something]"}]', "path,label"),
    ],
)
def test_lists_that_are_not_read_are_named_before_a_folder_is_taken_for_a_class(name: str, content: str, says: str) -> None:
    with pytest.raises(BadLayout) as caught:
        recognise(members_of({**videos("clips/1.mp4", "clips/2.mp4"), name: content}))
    assert name in caught.value.message and says in caught.value.advice


@pytest.mark.parametrize(
    ("name", "says"), [("list.xlsx", "spreadsheet"), ("labels.json", "JSON"), ("a/9.mp4.part", "download"), ("a/thumb.jpg", "picture")]
)
def test_files_that_stay_out_are_told_by_what_they_are(name: str, says: str) -> None:
    problem = read("x", name).problems[0]

    assert problem.path == name and says in problem.reason and problem.advice


def test_pictures_alone_are_no_videos() -> None:
    with pytest.raises(BadLayout, match="It is a picture, no video") as caught:
        recognise(members_of(dict.fromkeys((f"run/v1/img_{number:05}.jpg" for number in range(9)), b"x")))
    assert "make video files first" in caught.value.advice
