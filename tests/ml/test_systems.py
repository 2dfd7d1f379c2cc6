"""What every system in the table must do, on its own kind of input."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from ml.config.models import ModelConfig, System
from ml.layers.branches import Branches, Space
from ml.models import MODELS, build_model
from ml.training.objective import build_objective

B, N, SIDE = 4, 3, 64
SYSTEMS: tuple[type[System], ...] = get_args(get_args(ModelConfig)[0])


def small(system: type[System]) -> Any:
    """With the backbone that is built fastest, where the system leaves the choice."""
    free = "resnet10t" in get_args(system.model_fields["backbone"].annotation)
    return system.model_validate({"backbone": "resnet10t"} if free else {})


def ends(system: type[System]) -> Iterator[Any]:
    """The config with each of its numbers at each end of its declared range."""
    for name, field in system.model_fields.items():
        for limit in field.metadata:
            yield from (small(system).replace(**{name: getattr(limit, end)}) for end in ("ge", "le") if hasattr(limit, end))


def channels(config: Any) -> int:
    return 3 * (8 if config.sees_clips else 1)


def built(config: Any) -> nn.Module:
    torch.manual_seed(0)
    return build_model(config, channels(config), N, 2 if config.sees_segments else 1)


def views(config: Any) -> Tensor:
    """What a test shows: (B, C, H, W) levels."""
    return torch.rand(B, channels(config), SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 255


@pytest.fixture(scope="module", params=SYSTEMS, ids=lambda system: system.__name__)
def system(request: pytest.FixtureRequest) -> tuple[Any, nn.Module]:
    """Config and network."""
    config = small(request.param)
    return config, built(config)


def test_every_system_that_a_config_can_ask_for_is_in_the_table() -> None:
    assert set(MODELS) == set(SYSTEMS)


def test_every_trained_parameter_reaches_the_loss(system: tuple[Any, nn.Module]) -> None:
    config, model = system
    x = views(config)
    videos = torch.stack([x, x.flip(-1)], dim=1) if config.sees_segments else x  # (B, K, C, H, W)
    outcome = build_objective(config, model)(model.train(), videos, torch.arange(B) % 2, 0)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    gradients = torch.autograd.grad(outcome.total, list(trained.values()), allow_unused=True)
    assert outcome.total.isfinite() and outcome.scores.shape == (B, N)
    assert [name for name, gradient in zip(trained, gradients, strict=True) if gradient is None] == []


def test_a_view_has_scores_and_a_place_and_the_same_from_a_network_with_its_weights(system: tuple[Any, nn.Module]) -> None:
    config, model = system
    model, x = model.eval(), views(config)[:1]
    with torch.device("meta"):
        other = built(config).eval()
    other.load_state_dict(model.state_dict(), assign=True)
    with torch.inference_mode():
        scores, both = model(x), model.branches(x)  # type: ignore[operator]
        assert torch.equal(other(x), scores)
    assert isinstance(both, Branches) and torch.equal(both.scores, scores) and scores.shape == (1, N)
    assert both.embeddings.ndim == 2 and len(both.embeddings) == 1 and both.embeddings.isfinite().all()
    assert isinstance(model.space, Space) and model.space.kind in ("metric", "features")


@pytest.mark.parametrize("config", [end for system in SYSTEMS for end in ends(system)], ids=str)
def test_every_number_works_at_both_ends_of_its_range(config: Any) -> None:
    """Shapes alone, without the time that numbers take."""
    with torch.device("meta"):
        assert built(config).eval()(torch.empty(2, channels(config), SIDE, SIDE)).shape == (2, N)
