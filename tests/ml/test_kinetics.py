from collections import Counter

import pytest

from ml.errors import BadLayout
from ml.video.layouts import recognise
from tests.ml.dataset_files import members_of, videos

HEADER = "label,youtube_id,time_start,time_end,split\n"
ROWS = HEADER + (
    '"abseiling",-aaaaaaaaaa,1,11,train\nabseiling,bbbbbbbbbbb,20,30,validate\nair drumming,ccccccccccc,5,15,train\n'
    "air drumming,ccccccccccc,40,50,train\nair drumming,ddddddddddd,0,10,test\nzumba,eeeeeeeeeee,0,10,train\n"
)


@pytest.mark.parametrize(
    "names",
    [
        ("train/abseiling/-aaaaaaaaaa_000001_000011.mp4", "val/abseiling/bbbbbbbbbbb_000020_000030.mp4"),
        ("clips/-aaaaaaaaaa_000001_000011.mp4", "clips/bbbbbbbbbbb_000020_000030.mkv"),
        ("clips/-aaaaaaaaaa_1_11.mp4", "clips/bbbbbbbbbbb_20_30.mp4"),
        ("clips/-aaaaaaaaaa.mp4", "clips/bbbbbbbbbbb.webm"),
    ],
    ids=["official", "flat", "plain numbers", "whole recordings"],
)
def test_clips_are_found_as_downloaders_call_them_and_missing_ones_are_told(names: tuple[str, ...]) -> None:
    plan = recognise(members_of({"kinetics400.csv": ROWS, **videos(*names)}))

    assert plan.layout == "kinetics" and plan.splits[0].subsets == dict(zip(names, ("train", "validation"), strict=True))
    assert [item.label for item in plan.items] == ["abseiling", "abseiling"] and not plan.problems
    [missing] = plan.findings
    assert missing.kind == "missing" and missing.videos == (
        "ccccccccccc_000005_000015", "ccccccccccc_000040_000050", "ddddddddddd_000000_000010", "eeeeeeeeeee_000000_000010",
    )  # fmt: skip


def test_clips_of_one_recording_are_a_group() -> None:
    names = [f"ccccccccccc_{start:06}_{start + 10:06}.mp4" for start in (5, 40)]
    plan = recognise(members_of({"k.csv": ROWS, **videos(*names, "ddddddddddd_000000_000010.mp4")}))

    assert Counter(item.group for item in plan.items) == {"ccccccccccc": 2, "ddddddddddd": 1}


def test_one_list_a_subset_and_rows_without_label_are_read() -> None:
    lists = {
        "train.csv": "label,youtube_id,time_start,time_end\nrun,aaaaaaaaaaa,0,10\nwalk,bbbbbbbbbbb,0,10\n",
        "validate.csv": "label,youtube_id,time_start,time_end\nrun,ccccccccccc,0,10\n",
        "test.csv": "youtube_id,time_start,time_end\nddddddddddd,0,10\n",
    }
    names = [f"{letter * 11}_000000_000010.mp4" for letter in "abcd"]
    plan = recognise(members_of({**lists, **videos(*names)}))

    assert list(plan.splits[0].subsets.values()) == ["train", "train", "validation"]
    assert any("1 rows of test.csv have no label" in finding.message for finding in plan.findings)
    assert [problem.path for problem in plan.problems] == [names[3]]


def test_a_row_without_times_is_named() -> None:
    with pytest.raises(BadLayout, match=r"k\.csv: row 3 has no clip of a time"):
        recognise(members_of({"k.csv": HEADER + "run,aaaaaaaaaaa,0,10,train\nrun,bbbbbbbbbbb,zero,10,train\n", **videos("x/1.mp4")}))
