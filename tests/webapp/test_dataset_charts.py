"""Counts and histograms as Plotly figures."""

import numpy as np
import plotly.graph_objects as go
import pytest

from webapp.charts.class_counts import CountSeries, class_counts
from webapp.charts.histogram import bins, histogram


def series(counts: list[int], name: str = "training") -> CountSeries:
    return CountSeries(name, counts, lambda position: f"/datasets/1/videos/?label={position}")


@pytest.mark.parametrize("N", [1, 3, 101, 400])
def test_every_class_has_its_line_whatever_their_number(N: int) -> None:
    figure = class_counts([f"class {i}" for i in range(N)], [series([1] * N), series(list(range(N)), "test")])
    checked = go.Figure(figure)
    assert len(checked.data[0].y) == N
    assert checked.layout.height >= 18 * N and checked.layout.yaxis.dtick == 1


def test_a_click_leads_to_the_videos_of_that_class() -> None:
    assert class_counts(["a", "b"], [series([1, 2])])["data"][0]["customdata"][1]["href"] == "/datasets/1/videos/?label=1"


def test_a_subset_without_videos_is_not_drawn_and_keeps_its_colour_for_others() -> None:
    both = class_counts(["a"], [series([1]), series([2], "validation"), series([3], "test")])
    without = class_counts(["a"], [series([1]), series([0], "validation"), series([3], "test")])
    assert [bars["name"] for bars in without["data"]] == ["training", "test"]
    assert without["data"][1]["marker"] == both["data"][2]["marker"]


def test_a_class_named_like_html_is_no_markup_on_the_axis() -> None:
    assert class_counts(["<b>x</b>"], [series([1])])["data"][0]["y"] == ["&lt;b&gt;x&lt;/b&gt;"]


def test_bins_are_those_of_numpy() -> None:
    values = np.random.default_rng(0).gamma(2.0, 3.0, size=1000).tolist()
    edges, counts = bins(values)
    expected, expected_edges = np.histogram(values, bins=len(counts))
    assert counts == expected.tolist()
    np.testing.assert_allclose(edges, expected_edges)


@pytest.mark.parametrize(("values", "expected"), [([], []), ([25.0] * 7, [7]), ([1.0, 2.0], [1, 1])])
def test_few_or_equal_values_have_a_histogram_too(values: list[float], expected: list[int]) -> None:
    figure = histogram(values, "Frame rate", "frames/s")
    assert figure["data"][0]["y"] == expected
    go.Figure(figure)


def test_one_value_alone_is_a_thin_bar_over_its_name() -> None:
    figure = histogram([25.0] * 7, "Frame rate", "frames/s")
    low, high = figure["layout"]["xaxis"]["range"]
    assert figure["data"][0]["width"][0] < (high - low) / 5
    assert figure["layout"]["xaxis"]["ticktext"] == ["25"]
    assert figure["data"][0]["customdata"] == ["25"]
