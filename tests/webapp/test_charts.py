"""Figures from rows: what plotly accepts, and what stands where."""

from collections.abc import Sequence

import plotly.graph_objects as go
import pytest

from webapp.charts.agreement import Part, agreement_bars
from webapp.charts.compare import recall_deltas
from webapp.charts.confusion import confusion_map
from webapp.charts.names import LONGEST, axis_names
from webapp.charts.palette import BLUE, CYCLE, VERMILION
from webapp.charts.recall import RecallSeries, recall_bars
from webapp.experiments.results import ClassResult, ordered


def row(index: int, support: int, correct: int, name: str = "") -> ClassResult:
    recall = correct / support if support else None
    low, high = (None, None) if recall is None else (max(0.0, recall - 0.2), min(1.0, recall + 0.1))
    return ClassResult(index, name or f"class {index}", support, correct, recall, low, high, None, None)


def square(N: int) -> list[list[int]]:
    return [[(3 * i + j) % 5 for j in range(N)] for i in range(N)]


def place(index: int) -> str:
    return f"/videos?true={index}"


@pytest.mark.parametrize("N", [1, 5, 101, 400])
def test_every_class_has_its_bar_and_its_room_whatever_their_number(N: int) -> None:
    classes = [row(i, 4, i % 5) for i in range(N)]
    figure = recall_bars([RecallSeries("", classes, place)], range(N))
    drawn = go.Figure(figure)
    assert len(drawn.data[0].x) == len(set(drawn.data[0].y)) == N
    assert drawn.layout.height >= 16 * N


def test_bars_stand_in_the_order_asked_for_with_support_interval_and_address() -> None:
    figure = go.Figure(recall_bars([RecallSeries("", [row(0, 4, 1), row(1, 2, 2)], place)], [1, 0]))
    bars = figure.data[0]
    assert list(bars.y) == ["class 1 (2)", "class 0 (4)"]
    assert list(figure.layout.yaxis.categoryarray) == ["class 1 (2)", "class 0 (4)"]
    assert figure.layout.yaxis.autorange == "reversed"  # plotly counts from below
    assert list(bars.x) == [1.0, 0.25]
    assert (bars.marker.color, bars.marker.line.color) == ("rgba(0, 114, 178, 0.55)", BLUE)  # whiskers are read on it
    assert (bars.error_x.array[1], bars.error_x.arrayminus[1]) == (pytest.approx(0.1), pytest.approx(0.2))
    assert [point["href"] for point in bars.customdata] == ["/videos?true=1", "/videos?true=0"]


def test_what_is_told_of_a_bar_is_as_exact_as_its_videos_allow() -> None:
    series = RecallSeries("", [row(0, 3, 1), row(1, 300, 100), row(2, 0, 0)], place)
    few, many, none = recall_bars([series], range(3))["data"][0]["customdata"]
    assert (few["recall"], many["recall"], none["recall"], none["interval"]) == ("33\u00a0%", "33.3\u00a0%", "–", "–")
    assert (few["interval"], many["interval"]) == ("13\u00a0% … 43\u00a0%", "13.3\u00a0% … 43.3\u00a0%")


def test_a_class_without_videos_has_a_line_but_no_bar() -> None:
    bars = go.Figure(recall_bars([RecallSeries("", [row(0, 0, 0), row(1, 2, 1)], place)], [1, 0])).data[0]
    assert list(bars.x) == [0.5, None]


def test_streams_get_bars_of_their_own_colour_beside_each_other() -> None:
    series = [RecallSeries(name, [row(0, 4, 1)], place, color) for name, color in zip(("rgb", "flow"), CYCLE, strict=False)]
    figure = go.Figure(recall_bars(series, [0]))
    assert figure.layout.showlegend
    assert len({trace.marker.color for trace in figure.data}) == len({trace.offsetgroup for trace in figure.data}) == 2


@pytest.mark.parametrize(("order", "expected"), [("recall", [1, 0, 2]), ("name", [2, 1, 0]), ("support", [0, 1, 2]), ("index", [0, 1, 2])])
def test_classes_are_ordered_as_asked_and_those_without_videos_come_last_by_recall(order: str, expected: Sequence[int]) -> None:
    classes = [row(0, 8, 2, "c"), row(1, 4, 4, "B"), row(2, 0, 0, "a")]
    assert [r.index for r in ordered(classes, order)] == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("N", [1, 5, 101, 400])
def test_a_confusion_matrix_of_any_size_is_square_with_true_classes_down_the_side(N: int) -> None:
    figure = go.Figure(confusion_map(square(N), [f"class {i}" for i in range(N)], range(N), normalized=False))
    cells = figure.data[0]
    assert len(cells.z) == len(cells.z[0]) == N
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.title.text == "true"


def test_rows_of_shares_add_up_to_one_and_empty_ones_stay_empty() -> None:
    cells = go.Figure(confusion_map([[1, 3], [0, 0]], ["a", "b"], [0, 1])).data[0]
    assert [list(line) for line in cells.z] == [[0.25, 0.75], [0, 0]]
    assert [list(line) for line in cells.customdata] == [[1, 3], [0, 0]]
    assert [list(line) for line in cells.text] == [["25%", "75%"], ["", ""]]
    assert (cells.zmin, cells.zmax) == (0, 1)


def test_some_of_the_classes_keep_their_shares_of_all_their_videos() -> None:
    figure = confusion_map([[2, 1, 5], [0, 4, 0], [3, 0, 3]], ["a", "b", "c"], [0, 1])
    assert figure["data"][0]["z"] == [[0.25, 0.125], [0, 1]]
    assert figure["layout"]["meta"]["totals"] == [8, 4]


def test_cells_follow_the_order_and_remember_their_classes() -> None:
    figure = confusion_map([[5, 1], [2, 7]], ["a", "b"], [1, 0], normalized=False, diagonal=False, cells_at="/videos")
    assert figure["data"][0]["z"] == [[None, 2], [1, None]]
    meta = figure["layout"]["meta"]
    assert (meta["cells"], meta["order"], meta["names"]) == ("/videos", [1, 0], ["b", "a"])
    assert meta["told"]["wrong"].format(true="a", predicted="b", count=1, total=6, share="17 %") == "a taken for b: 1 of 6 (17 %)"
    go.Figure(figure)


def test_parts_of_an_agreement_bar_add_up_to_the_class() -> None:
    parts = [Part("both", "#000000", [3, 0], ["/a", "/b"]), Part("neither", "#111111", [1, 0], ["/c", "/d"])]
    figure = go.Figure(agreement_bars(["clap", "jump"], parts))
    assert [list(trace.x) for trace in figure.data] == [[0.75, 0], [0.25, 0]]
    assert figure.layout.barmode == "stack"
    assert figure.data[1].customdata[0] == {"href": "/c", "count": 1, "share": "25\u00a0%"}


def test_gains_and_losses_have_different_colours_and_the_best_gain_is_on_top() -> None:
    before, after = [row(0, 4, 1), row(1, 4, 4), row(2, 0, 0)], [row(0, 4, 3), row(1, 4, 2), row(2, 0, 0)]
    figure = go.Figure(recall_deltas(before, after, place))
    assert list(figure.data[0].x) == [0.5, -0.5]
    assert list(figure.data[0].marker.color) == [BLUE, VERMILION]
    assert figure.layout.yaxis.categoryarray[-1] == "class 0"


def test_names_become_text_without_markup_short_and_all_different() -> None:
    long = "x" * 80
    labels = axis_names(["<b>bold</b>", "挥手", f"{long}1", f"{long}2", "a & b"])
    assert labels[0] == "&lt;b&gt;bold&lt;/b&gt;"
    assert labels[1] == "挥手"
    assert len(set(labels)) == 5
    assert all(len(label) <= LONGEST + 4 for label in labels[2:4])
    assert labels[4] == "a &amp; b"


@pytest.mark.parametrize("N", [5, 9, 101, 400])
def test_matrices_side_by_side_stay_low_and_have_nothing_written_in_their_cells(N: int) -> None:
    names = [f"class {i}" for i in range(N)]
    small, large = (go.Figure(confusion_map(square(N), names, range(N), is_small=is_small)) for is_small in (True, False))
    assert small.layout.height <= min(610, large.layout.height)
    assert small.data[0].texttemplate is None
    assert (small.layout.xaxis.dtick == 1) == (N <= 30)
    assert (small.layout.yaxis.showticklabels is False) == (N > 30)
