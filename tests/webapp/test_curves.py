"""The figure of a run's learning curves."""

import plotly.graph_objects as go
import pytest

from webapp.charts.curves import Axis, CurvePoint, curves, thinned
from webapp.charts.palette import BLUE, ORANGE


def report(step: int) -> CurvePoint:
    return CurvePoint(step, step // 10 + 1, False, {"cross_entropy": 1 / step, "auxiliary": 0.5, "learning_rate": 0.1}, {})


def end(epoch: int, validation: bool = True) -> CurvePoint:
    held_out = {"loss": 0.7 / epoch, "top1": 0.4} if validation else {}
    return CurvePoint(10 * epoch, epoch, True, {"loss": 1 / epoch, "top1": 0.5}, held_out)


POINTS = [report(5), end(1), report(15), end(2)]


def trace(figure: dict[str, list[dict[str, object]]], name: str) -> dict[str, object]:
    return next(one for one in figure["data"] if one["name"] == name)


@pytest.mark.parametrize("axis", ["step", "epoch"])
@pytest.mark.parametrize("points", [[], POINTS[:1], POINTS])
def test_the_figure_is_one_that_plotly_accepts(axis: Axis, points: list[CurvePoint]) -> None:
    figure = curves(points, axis, 10)
    assert len(go.Figure(figure).data) == len(figure["data"])


def test_every_loss_term_has_a_line_where_there_are_several() -> None:
    figure = curves(POINTS, "step", 10)
    assert trace(figure, "training: cross entropy")["y"] == [1 / 5, 1 / 15]
    assert trace(figure, "training: auxiliary")["y"] == [0.5, 0.5]
    alone = CurvePoint(1, 1, False, {"cross_entropy": 0.5, "learning_rate": 0.1, "measures": {"positive_distance": 3.0}}, {})
    assert [line["name"] for line in curves([alone], "step")["data"]] == ["training, within epochs"]
    assert trace(curves([alone], "step"), "training, within epochs")["y"] == [0.5]


def test_loss_and_accuracy_of_both_subsets_are_drawn_in_their_colours() -> None:
    figure = curves(POINTS, "epoch", 10)
    assert trace(figure, "training")["y"] == [1.0, 0.5] and trace(figure, "training")["line"] == {"color": BLUE, "width": 2}
    assert trace(figure, "validation")["y"] == [0.7, 0.35] and trace(figure, "validation")["line"] == {"color": ORANGE, "width": 2}
    assert trace(figure, "training accuracy")["y"] == [0.5, 0.5] and trace(figure, "training accuracy")["yaxis"] == "y2"
    assert trace(figure, "validation accuracy")["x"] == [1.0, 2.0]


def test_a_report_is_the_sum_of_the_loss_terms_and_nothing_else() -> None:
    assert trace(curves(POINTS, "step"), "training, within epochs")["y"] == [0.2 + 0.5, 1 / 15 + 0.5]


def test_reports_lie_within_their_epoch_once_its_length_is_known() -> None:
    name = "training, within epochs"
    assert trace(curves(POINTS, "epoch", 10), name)["x"] == [0.5, 1.5]
    assert trace(curves(POINTS, "epoch"), name)["x"] == [1, 2]
    assert trace(curves(POINTS, "step", 10), name)["x"] == [5, 15]


def test_what_is_not_known_has_no_line() -> None:
    names = [one["name"] for one in curves([end(1, validation=False)])["data"]]
    assert names == ["training", "training accuracy"]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25, 100])
def test_thinning_keeps_at_most_the_limit_in_order_and_the_last(count: int) -> None:
    points = [report(step) for step in range(1, count + 1)]
    kept = thinned(points, 10)
    assert len(kept) <= 10 and kept[-1:] == points[-1:]
    assert kept == sorted(kept, key=lambda point: point.step)
    assert len(kept) >= min(count, 5)
