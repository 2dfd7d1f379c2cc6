"""The first layer as a picture."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from ml.__main__ import main
from ml.backbones import build_backbone
from ml.config.models import TwoStream
from ml.errors import BadCheckpoint
from ml.evaluation.filters import draw_filters, first_filters, write_filters
from ml.models import build_model


def test_each_column_is_a_filter_and_each_row_an_input_channel() -> None:
    weights = np.random.default_rng(0).normal(size=(96, 20, 7, 7))
    picture = draw_filters(weights)
    assert picture.shape == (20 * 15 + 1, 96 * 15 + 1, 3)
    for d, c, i, j in ((0, 0, 0, 0), (95, 19, 6, 6), (40, 3, 2, 5)):
        level = round(128 + 127 * weights[d, c, i, j] / np.abs(weights[d]).max())
        tile = picture[c * 15 + 1 : c * 15 + 15, d * 15 + 1 : d * 15 + 15]
        assert (tile[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] == level).all()


def test_filters_on_rgb_are_tiles_in_their_own_colours() -> None:
    weights = np.zeros((20, 3, 7, 7))
    weights[17, 0] = 0.5  # red
    weights[18, 2] = -2.0  # no blue
    picture = draw_filters(weights)
    assert picture.shape == (2 * 15 + 1, 16 * 15 + 1, 3)
    assert picture[20, 20].tolist() == [255, 128, 128] and picture[20, 35].tolist() == [128, 128, 1]
    assert picture[5, 5].tolist() == [128, 128, 128]


def test_the_picture_of_a_network_and_its_facts_are_written(tmp_path: Path) -> None:
    model = build_model(TwoStream(backbone="resnet10t"), 10, 4, levels=1.0)
    facts = write_filters(model, tmp_path)
    weights = first_filters(model).detach().numpy()
    assert json.loads((tmp_path / "filters.json").read_text())["filters"] == facts.filters == weights.shape[0]
    assert facts.largest == pytest.approx(np.abs(weights).max())
    picture = cv2.imread(str(tmp_path / "filters.png"), cv2.IMREAD_COLOR_RGB)
    assert picture is not None and np.array_equal(picture, draw_filters(weights))


@pytest.mark.parametrize("channels", [3, 20])
def test_the_papers_network_has_96_filters_of_7_by_7(channels: int) -> None:
    with torch.device("meta"):
        backbone = build_backbone("cnn_m_2048", channels, levels=1.0)
    assert first_filters(backbone).shape == (96, channels, 7, 7)


def test_a_network_without_convolution_is_an_error() -> None:
    with pytest.raises(BadCheckpoint, match="no convolution"):
        first_filters(nn.Linear(2, 2))


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    assert main(["filters", str(tmp_path), "--json"]) == 1
