"""Every system in the table tells where videos lie."""

import pytest
import torch
from pydantic import TypeAdapter

from ml.config.models import ModelConfig
from ml.config.schema import Schema
from ml.layers.branches import Branches, Space
from ml.models import MODELS, build_model

N, SIDE, FRAMES = 5, 224, 10


@pytest.mark.parametrize("system", MODELS, ids=lambda system: system.__name__)
def test_a_view_has_scores_and_a_place_in_one_forward_pass(system: type[Schema]) -> None:
    """Shapes alone, without the time that numbers take."""
    with torch.device("meta"):
        model = build_model(TypeAdapter(ModelConfig).validate_python(system()), 3 * FRAMES, N).eval()
        x = torch.zeros(2, 3 * FRAMES, SIDE, SIDE)
        scores, both = model(x), model.branches(x)  # type: ignore[operator]
    assert isinstance(both, Branches) and both.scores.shape == scores.shape == (2, N)
    assert both.embeddings.ndim == 2 and len(both.embeddings) == 2 and both.embeddings.shape[1] > N
    assert isinstance(model.space, Space) and model.space.kind in ("metric", "features")
