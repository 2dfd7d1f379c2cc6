"""Figure 2 of NFMML: distances in the batches of a run, and of runs over each other."""

import plotly.graph_objects as go
import pytest
from django.test import Client
from django.urls import reverse

from tests.webapp.factories import make_run
from webapp.charts.curves import CurvePoint
from webapp.charts.distances import MOST_POINTS, distances, overlaid_distances
from webapp.charts.overlay import RunCurve
from webapp.datasets.models import Dataset
from webapp.experiments.models import Run, RunPoint

pytestmark = pytest.mark.django_db


def measures(positive: float, negative: float) -> dict[str, object]:
    return {"classification": 1.0, "metric": 2.0, "measures": {"positive_distance": positive, "negative_distance": negative}}


def report(step: int, positive: float = 3.0, negative: float = 7.0) -> CurvePoint:
    return CurvePoint(step, step // 10 + 1, False, measures(positive, negative), {})


CLASSIFYING = CurvePoint(5, 1, False, {"cross_entropy": 1.0, "measures": {}}, {})
END = CurvePoint(10, 1, True, {"loss": 1.0, "top1": 0.5}, {})
POINTS = [report(5, 3.0, 7.0), END, report(15, 2.0, 8.5)]


@pytest.fixture
def metric_runs(dataset: Dataset) -> list[Run]:
    """Two runs with distances, one without."""
    runs = [make_run(dataset, name=name) for name in ("constant", "adaptive", "plain")]
    for number, run in enumerate(runs[:2]):
        for step in (5, 10):
            RunPoint.objects.create(run=run, step=step, epoch=1, train=measures(3 - number, step + number))
    RunPoint.objects.create(run=runs[2], step=5, epoch=1, train={"cross_entropy": 2.0})
    return runs


def shown(client: Client, runs: list[Run]) -> tuple[dict[str, list[dict[str, object]]], str]:
    answer = client.get(reverse("experiments:compare"), {"runs": ",".join(str(run.pk) for run in runs)})
    return answer.context["groups"][0].distances_figure, answer.content.decode()


def test_a_run_has_a_line_for_each_kind_of_pair_and_one_for_their_difference() -> None:
    figure = distances(POINTS, "step")
    assert [(line["name"], line["x"], line["y"]) for line in figure["data"]] == [
        ("same class", [5, 15], [3.0, 2.0]),
        ("different classes", [5, 15], [7.0, 8.5]),
        ("difference", [5, 15], [4.0, 6.5]),
    ]
    assert distances(POINTS, "epoch", 10)["data"][0]["x"] == [0.5, 1.5]
    assert len({line["line"]["color"] for line in figure["data"]}) == 3


@pytest.mark.parametrize("points", [[], [END], [CLASSIFYING, END]])
def test_what_tells_no_distances_has_no_line(points: list[CurvePoint]) -> None:
    assert distances(points)["data"] == []
    assert overlaid_distances([RunCurve("plain", "#000", points)])["data"] == []


def test_long_runs_are_thinned_and_keep_their_last_report() -> None:
    (line, *_others) = distances([report(step) for step in range(1, 10 * MOST_POINTS)], "step")["data"]
    assert len(line["x"]) <= MOST_POINTS
    assert line["x"][-1] == 10 * MOST_POINTS - 1


def test_runs_lie_over_each_other_in_three_panels_each_in_its_colour() -> None:
    runs = [RunCurve("a", "#111111", POINTS), RunCurve("b", "#222222", [END]), RunCurve("c", "#333333", [report(5, 1.0, 9.0)])]
    figure = overlaid_distances(runs)
    panels = [(line["name"], line["yaxis"], line["y"], line["line"]["color"]) for line in figure["data"]]
    assert panels == [
        ("a", "y", [3.0, 2.0], "#111111"),
        ("a", "y2", [7.0, 8.5], "#111111"),
        ("a", "y3", [4.0, 6.5], "#111111"),
        ("c", "y", [1.0], "#333333"),
        ("c", "y2", [9.0], "#333333"),
        ("c", "y3", [8.0], "#333333"),
    ]
    titles = [figure["layout"][f"yaxis{number}"]["title"]["text"] for number in ("", "2", "3")]
    assert titles == ["(a) same class", "(b) different classes", "(c) difference"]
    assert [line["name"] for line in figure["data"] if line["showlegend"]] == ["a", "c"]


@pytest.mark.parametrize("figure", [distances(POINTS), distances([]), overlaid_distances([RunCurve("<b>", "#123456", POINTS)] * 2)])
def test_the_figures_are_such_that_plotly_accepts(figure: dict[str, list[object]]) -> None:
    assert len(go.Figure(figure).data) == len(figure["data"])


def test_the_page_of_a_run_asks_for_its_distances_with_its_curves(as_ada: Client, metric_runs: list[Run]) -> None:
    with_metric, without = (as_ada.get(f"/experiments/{run.pk}/curves.json?axis=step").json()["distances"] for run in metric_runs[1:])
    assert [line["y"] for line in with_metric["data"]] == [[2, 2], [6, 11], [4, 9]]
    assert without["data"] == []


def test_compared_runs_keep_their_colours_and_those_without_distances_are_named(as_ada: Client, metric_runs: list[Run]) -> None:
    plain, adaptive = metric_runs[2], metric_runs[1]
    figure, text = shown(as_ada, [plain, adaptive])
    curves_of_both = as_ada.get(reverse("experiments:compare"), {"runs": f"{plain.pk},{adaptive.pk}"}).context["groups"][0].columns
    assert [line["y"] for line in figure["data"]] == [[2, 2], [6, 11], [4, 9]]
    assert {line["line"]["color"] for line in figure["data"]} == {curves_of_both[1][1]}  # type: ignore[index]
    assert "No distances of plain" in text
    assert "No distances of" not in shown(as_ada, metric_runs[:2])[1]


def test_without_any_metric_loss_the_comparison_says_nothing_of_distances(as_ada: Client, dataset: Dataset) -> None:
    figure, text = shown(as_ada, [make_run(dataset, name="one"), make_run(dataset, name="two")])
    assert figure["data"] == []
    assert "distances" not in text.lower()
