"""mAP on pages and in files: which definition, which ranking; and evaluations that were counted before there were several."""

import csv
import io
import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ml.evaluation.metrics import metrics
from tests.ml.scores_by_hand import made_up
from tests.webapp.factories import make_evaluation, make_run
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation
from webapp.metrics import TITLES

pytestmark = pytest.mark.django_db
LATER = ("map_voc2007", "map_voc2010", "map_raw", "map_voc2007_raw", "map_voc2010_raw")


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    """With the numbers of made-up scores, of which no two are alike."""
    evaluation = make_evaluation(make_run(dataset))
    evaluation.metrics = {**evaluation.metrics, **{name: 0.31 + place / 10 for place, name in enumerate(("map", *LATER))}}
    evaluation.save()
    return evaluation


def old(evaluation: Evaluation) -> Evaluation:
    """As an earlier version left it."""
    rows = [{name: value for name, value in row.items() if not name.startswith("ap_")} for row in evaluation.metrics["per_class"]]
    evaluation.metrics = {**{name: value for name, value in evaluation.metrics.items() if name not in LATER}, "per_class": rows}
    evaluation.save()
    return evaluation


def text_of(client: Client, name: str, *args: object) -> str:
    return str(client.get(reverse(f"experiments:{name}", args=args)).content.decode("utf-8-sig"))


def test_an_evaluation_tells_each_definition_under_each_ranking(as_ada: Client, evaluation: Evaluation) -> None:
    text = text_of(as_ada, "evaluation_detail", evaluation.pk)
    rows = [
        re.sub(r"<[^>]*>", " ", row).split()
        for row in re.findall(r"<tr>.*?</tr>", text, re.DOTALL)
        if "VOC" in row or "interpolated" in row
    ]
    assert ["not", "interpolated", "31", "%", "61", "%"] in rows
    assert ["VOC", "2007,", "11", "points", "41", "%", "71", "%"] in rows
    assert ["VOC", "2010,", "area", "51", "%", "81", "%"] in rows
    assert "softmax of each video’s scores" in text and "recount" not in text


def test_files_carry_the_definitions(as_ada: Client, evaluation: Evaluation) -> None:
    [row, *_] = csv.DictReader(io.StringIO(text_of(as_ada, "evaluation_csv", evaluation.pk)))
    assert {"ap", "ap_voc2007", "ap_voc2010"} <= row.keys()
    assert "map: mean, over classes with videos" in row["definitions"] and "map_voc2007: as map, with" in row["definitions"]


def test_what_an_earlier_version_counted_opens_everywhere_and_says_what_it_lacks(as_ada: Client, evaluation: Evaluation) -> None:
    run = old(evaluation).run
    assert run is not None
    text = text_of(as_ada, "evaluation_detail", evaluation.pk)
    assert "31\u00a0%" in text and "manage.py recount" in text and "three definitions" not in text
    assert as_ada.get(reverse("experiments:compare"), {"runs": run.pk}).status_code == 200
    assert "mAP VOC 2007" in text_of(as_ada, "run_list")
    [row, *_] = csv.DictReader(io.StringIO(text_of(as_ada, "evaluation_csv", evaluation.pk)))
    assert row["ap_voc2007"] == ""


def test_recount_counts_what_lacks_a_number_and_leaves_alone_what_has_no_scores(evaluation: Evaluation) -> None:
    lost = make_evaluation(make_run(evaluation.source.dataset, "flow"))
    before = {one.pk: old(one).metrics for one in (evaluation, lost)}
    scores = made_up(num_videos=12, num_classes=3)
    evaluation.folder.mkdir(parents=True)
    scores.save(evaluation.folder / "scores.npz")
    told, complaints = StringIO(), StringIO()

    call_command("recount", stdout=told, stderr=complaints)

    evaluation.refresh_from_db()
    lost.refresh_from_db()
    assert evaluation.metrics == metrics(scores) and evaluation.metrics.keys() >= TITLES.keys()
    assert lost.metrics == before[lost.pk] and "There is no score file" in complaints.getvalue()
    call_command("recount", stdout=(again := StringIO()), stderr=StringIO())
    assert f"{evaluation}: counted" in told.getvalue() and f"{evaluation}: counted" not in again.getvalue()
