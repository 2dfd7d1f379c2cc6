from itertools import pairwise
from typing import get_args

import cv2
import numpy as np
import pytest

from ml.config.flow import DIS, RAFT, TVL1, Brox, Farneback, FlowMethod
from ml.config.schema import Schema
from ml.flow import METHODS, build_flow
from tests.ml.packed import moving, texture

SCHEMAS: tuple[type[Schema], ...] = get_args(get_args(FlowMethod)[0])
WITHOUT_FILES: dict[type[Schema], Schema] = {schema: schema() for schema in SCHEMAS if schema is not RAFT}
QUICK = WITHOUT_FILES | {TVL1: TVL1(epsilon=0.05)}
QUICKEST = QUICK | {TVL1: TVL1(epsilon=0.05, num_scales=2, num_warps=1), Brox: Brox(num_inner=2, num_sweeps=2)}


def _pair(dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = moving(2, dx, dy, 64, 72)[..., 0]
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def test_every_method_that_can_be_asked_for_is_in_the_table() -> None:
    assert set(METHODS) == {schema().model_dump()["kind"] for schema in SCHEMAS}


@pytest.mark.parametrize("method", QUICK.values())
@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (0, -2), (-1, 3)])
def test_a_known_translation_is_found(method: Schema, dx: int, dy: int) -> None:
    field = build_flow(method)(*_pair(dx, dy))
    assert field.shape == (2, 64, 72) and field.dtype == np.float32
    inner = field[:, 10:-10, 10:-10]
    assert np.hypot(inner[0] - dx, inner[1] - dy).mean() < 0.2


@pytest.mark.parametrize("method", QUICK.values())
def test_a_still_picture_does_not_move(method: Schema) -> None:
    frame = texture(64, 64)
    assert np.abs(build_flow(method)(frame, frame)).mean() < 0.01


@pytest.mark.parametrize("method", QUICK.values())
def test_a_batch_of_pairs_gives_what_the_pairs_give(method: Schema) -> None:
    flow, pairs = build_flow(method), [_pair(2, 0), _pair(-1, 1), _pair(0, 0)]
    previous, following = (np.stack(frames) for frames in zip(*pairs, strict=True))
    fields = flow(previous, following)
    assert fields.shape == (3, 2, 64, 72) and fields.dtype == np.float32 and flow.batch_size >= 1
    for field, pair in zip(fields, pairs, strict=True):
        np.testing.assert_allclose(field, flow(*pair), atol=1e-3)


@pytest.mark.parametrize("method", QUICK.values())
def test_a_method_keeps_nothing_from_one_pair_to_the_next(method: Schema) -> None:
    flow = build_flow(method)
    first = flow(*_pair(2, 0)).copy()
    flow(*_pair(-3, 1))
    assert np.array_equal(flow(*_pair(2, 0)), first)


def test_farneback_is_opencvs_with_each_parameter_in_its_place() -> None:
    method = Farneback(pyramid_scale=0.6, num_levels=2, window_size=11, num_iterations=4, poly_n=7, poly_sigma=1.5)
    expected = cv2.calcOpticalFlowFarneback(*_pair(2, 1), None, 0.6, 2, 11, 4, 7, 1.5, 0)  # type: ignore[call-overload]
    assert np.array_equal(build_flow(method)(*_pair(2, 1)), expected.transpose(2, 0, 1))


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
def test_dis_is_opencvs_in_each_preset(preset: str) -> None:
    number = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset.upper()}")
    expected = cv2.DISOpticalFlow.create(number).calc(*_pair(2, 1), None)  # type: ignore[call-overload]
    got = build_flow(DIS.model_validate({"preset": preset}))(*_pair(2, 1))
    assert np.array_equal(got, expected.transpose(2, 0, 1))


@pytest.mark.parametrize("preset", ["ultrafast", "fast", "medium"])
@pytest.mark.parametrize(("height", "width"), [(32, 43), (64, 85), (96, 128)])
def test_dis_of_a_pair_does_not_depend_on_the_pairs_before_it(preset: str, height: int, width: int) -> None:
    frames = moving(4, 2, 1, height, width)[..., 0].copy()
    method = build_flow(DIS.model_validate({"preset": preset}))
    for previous, following in pairwise(frames):
        alone = build_flow(DIS.model_validate({"preset": preset}))(previous, following)
        assert np.array_equal(method(previous, following), alone)


def _ends(quick: Schema) -> list[Schema]:
    """The method with each number at each end of its declared range, the others quick."""
    ends = []
    for name, field in type(quick).model_fields.items():
        for limit in field.metadata:
            ends += [quick.replace(**{name: getattr(limit, end)}) for end in ("ge", "le") if hasattr(limit, end)]
    return ends


@pytest.mark.parametrize("method", [end for quick in QUICKEST.values() for end in _ends(quick)], ids=str)
def test_every_number_works_at_both_ends_of_its_range(method: Schema) -> None:
    first, second = moving(2, 1, 0, 40, 40)[..., 0]
    field = build_flow(method)(np.ascontiguousarray(first), np.ascontiguousarray(second))
    assert np.isfinite(field).all()
