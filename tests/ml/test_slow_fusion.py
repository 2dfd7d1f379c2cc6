"""Slow fusion sees all frames in their order, halves time layer by layer, and is trained and tested like any stream."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from ml.backbones.normalization import Normalize
from ml.config.data import DataConfig, RGBInput, RGBStackInput
from ml.config.evaluation import Protocol
from ml.config.experiment import FRAME_STACK, ExperimentConfig
from ml.config.models import SlowFusion as Config
from ml.config.models import TwoStream
from ml.evaluation.evaluator import evaluate
from ml.evaluation.filters import first_filters
from ml.evaluation.whole_frames import prepare
from ml.events import Progress
from ml.models import build_model
from ml.models.slow_fusion import SlowFusion
from ml.models.two_stream import Stream
from ml.process import Stop
from ml.trained import TrainedRun
from ml.video.dataset import Draw, TrainingDataset
from ml.video.manifest import load_manifest
from ml.video.modality import modality_of
from tests.ml.packed import moving
from tests.ml.run_data import spatial, write_dataset

CLIP = RGBStackInput()
SIDE = 64


@pytest.fixture(scope="module")
def stream() -> Stream:
    torch.manual_seed(0)
    built = build_model(Config(dropout=0), in_channels=33, num_classes=4)
    assert isinstance(built, Stream)
    return built.eval()


def clips(count: int = 1, seed: int = 0) -> Tensor:
    return torch.rand(count, 33, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) * 255


def test_time_is_fused_from_eleven_frames_to_four_to_two_to_one() -> None:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, _layer: nn.Module, _x: tuple[Tensor, ...], y: Tensor) -> None:
        shapes.setdefault(name, tuple(y.shape[1:]))

    with torch.device("meta"):
        net = SlowFusion(11)
        for name, layer in net.named_children():
            layer.register_forward_hook(partial(note, name))
        assert net(torch.empty(2, 33, 224, 224)).shape == (2, 2048)
    assert [shapes[name] for name in ("conv1", "conv2", "conv3", "pool")] == [
        (96, 4, 109, 109), (256, 2, 26, 26), (512, 1, 13, 13), (512, 6, 6),
    ]  # fmt: skip


@pytest.mark.parametrize("clip_len", [8, 10, 11, 16])
def test_any_clip_is_fused_to_one_moment_and_karpathys_ten_frames_have_his_extent(clip_len: int) -> None:
    with torch.device("meta"):
        net = SlowFusion(clip_len)
        assert net(torch.empty(1, 3 * clip_len, 64, 64)).shape == (1, 2048)
    assert clip_len != 10 or net.conv1.kernel_size[0] == 4


def test_every_frame_is_seen_and_their_order_matters(stream: Stream) -> None:
    x = clips().requires_grad_()
    (gradient,) = torch.autograd.grad(stream(x).square().sum(), x)
    assert (gradient.view(11, 3, -1).abs().amax(dim=2) > 0).all()
    with torch.no_grad():
        backwards = x.view(11, 3, SIDE, SIDE).flip(0).reshape(x.shape)
        assert not torch.allclose(stream(backwards), stream(x), atol=1e-5)


def test_every_parameter_gets_a_gradient(stream: Stream) -> None:
    gradients = torch.autograd.grad(stream(clips(2)).square().sum(), list(stream.parameters()))
    assert [name for (name, _), gradient in zip(stream.named_parameters(), gradients, strict=True) if not gradient.any()] == []


def test_each_frame_is_normalised_as_rgb(stream: Stream) -> None:
    normalize = stream.backbone.normalize
    assert isinstance(normalize, Normalize)
    grey = torch.tensor([123.68, 116.779, 103.939]).repeat(11)[None, :, None, None]
    assert torch.equal(normalize(grey), torch.zeros(1, 33, 1, 1))


def test_it_slides_over_whole_frames(stream: Stream) -> None:
    data = DataConfig(input=CLIP, crop_size=SIDE, short_side=SIDE)
    with torch.inference_mode():
        expected = stream(clips())
        prepare(stream, data, Protocol(crops=0))
        torch.testing.assert_close(stream(clips()), expected, rtol=0, atol=0)
        assert stream(torch.rand(1, 33, SIDE, SIDE + 32) * 255).shape == (2, 4)
        prepare(stream, data, Protocol())


def test_its_first_filters_are_drawn_a_row_for_each_channel_of_each_moment(stream: Stream) -> None:
    weights, drawn = stream.backbone.net.conv1.weight, first_filters(stream)  # type: ignore[union-attr]
    assert isinstance(weights, Tensor) and drawn.shape == (96, 15, 7, 7)
    assert torch.equal(drawn[:, 3 * 2 + 1], weights[:, 1, 2])


def test_a_stack_is_frames_in_turn_rescaled_mirrored_and_shaken_alike() -> None:
    row, frames = modality_of(CLIP), moving(11, 2, 1)
    stack = row.compose(frames, CLIP)
    assert stack.dtype == np.uint8
    for t in range(11):
        np.testing.assert_array_equal(stack[3 * t : 3 * t + 3], np.moveaxis(frames[t], -1, 0))
    small, one = row.rescale(stack, 24), modality_of(RGBInput())
    np.testing.assert_array_equal(small[3:6], one.rescale(stack[3:6], 24))
    np.testing.assert_array_equal(row.mirror(stack)[3:6], one.mirror(stack[3:6]))
    shift = row.jitter(stack.astype(np.float32), 0.5, np.random.default_rng(0)) - stack
    np.testing.assert_allclose(
        shift.reshape(11, 3, -1), np.broadcast_to(shift[:3, :1, :1].reshape(1, 3, 1), (11, 3, stack[0].size)), atol=1e-3
    )


def test_slow_fusion_and_its_input_belong_together() -> None:
    assert ExperimentConfig(model=Config(), data=DataConfig(input=CLIP)).model.kind == "slow_fusion"
    for model, seen in ((Config(), RGBInput()), (TwoStream(), CLIP)):
        with pytest.raises(ValidationError, match=FRAME_STACK.message):
            ExperimentConfig(model=model, data=DataConfig(input=seen))


def test_it_is_tested_like_any_stream(stream: Stream, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", videos_per_class=3)
    config = spatial(dataset)
    config = config.replace(model=Config(), data=config.data.replace(input=CLIP, short_side=48, crop_size=48))
    run = TrainedRun(config, ("left", "right", "up", "down"), stream, {})
    events = evaluate(run, tmp_path, dataset, "test", Protocol(frames=2, crops=1), Stop())
    assert [event.done for event in events if isinstance(event, Progress)] == [1, 2]


def test_a_training_item_is_a_clip_the_last_frame_of_a_short_video_repeated(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", videos_per_class=3)
    manifest, data = load_manifest(dataset), DataConfig(input=CLIP, short_side=40, crop_size=32)
    x, _label = TrainingDataset(dataset, manifest, data, manifest.videos[:1], seed=0)[Draw(0, 0, 0)]
    assert x.shape == (33, 32, 32) and x.dtype == torch.float32
    frames = x.view(11, 3, 32, 32)  # the video has six
    assert not torch.equal(frames[4], frames[5]) and all(torch.equal(frames[5], frame) for frame in frames[6:])
