"""What may run on a GPU stays there, from a batch in the host's memory to the numbers that come back: on a GPU that is pretended."""

from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

import ml.torchvision_shim  # noqa: F401  (before torchvision)
from ml.backbones import BACKBONES, build_backbone
from ml.config.data import DataConfig, RGBInput
from ml.config.evaluation import Protocol
from ml.config.losses import ArcFace, LiftedStructure, MetricLoss, ProxyAnchor, SupCon, Triplet
from ml.config.models import NFMML, TSN, Backbone, ModelConfig, SlowFusion, TwoStream
from ml.config.training import TrainingConfig
from ml.evaluation.views import branch_views, score_views
from ml.evaluation.whole_frames import prepare
from ml.flow import brox, tv_l1, tv_l1_gpu
from ml.flow.method import FlowMethod
from ml.flow.on_torch import on_torch
from ml.flow.raft import NETS, _prepared
from ml.models import build_model
from ml.training.joint import JointClassification, OneHead
from ml.training.objective import Objective, build_objective
from ml.training.step import Learner
from ml.training.team import Team, placed
from tests.ml.pretended_gpu import GPU, OnGPU, pretended_gpu

B, K, N, SIDE = 4, 2, 2, 33
QUICK = tv_l1.Parameters(epsilon=1.0, num_scales=2, num_warps=1)


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torch, "autocast", lambda *_args, **_options: nullcontext())  # knows real devices only
    monkeypatch.setattr(tv_l1_gpu, "kernels", lambda _device: tv_l1_gpu.PLAIN)
    with pretended_gpu():
        yield


on_a_gpu = pytest.mark.usefixtures("a_gpu")


@on_a_gpu
def test_who_mixes_two_devices_is_caught() -> None:
    x = torch.ones(2).to(GPU)
    assert isinstance(x, OnGPU) and (x + 1).device == torch.zeros(2, device=GPU).device == GPU and (x + x).cpu().tolist() == [2, 2]
    with pytest.raises(RuntimeError, match=r"add.* on two devices"):
        x + torch.ones(2)
    with pytest.raises(RuntimeError):
        np.asarray(x)


def raft(device: str) -> FlowMethod:
    net = NETS["small"](weights=None, progress=False).eval().to(device)
    return on_torch(lambda I0, I1: net(_prepared(I0), _prepared(I1), num_flow_updates=2)[-1], device, 2)


METHODS = {
    "tv_l1, opencv_cpu": lambda: tv_l1.method_of(QUICK, tv_l1.VARIANTS["opencv_cpu"], str(GPU)),
    "tv_l1, opencv_cuda": lambda: tv_l1.method_of(QUICK, tv_l1.VARIANTS["opencv_cuda"], str(GPU)),
    "brox": lambda: brox.brox(device=str(GPU), num_levels=2, num_inner=1, num_sweeps=1),
    "raft": lambda: raft(str(GPU)),
}


@on_a_gpu
@pytest.mark.parametrize("method", list(METHODS))
def test_flow_is_computed_where_it_is_asked_for(method: str) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (3, 128, 128) if method == "raft" else (3, 20, 24), np.uint8)
    fields = METHODS[method]()(frames[:-1], frames[1:])
    assert fields.shape == (2, 2, *frames.shape[1:]) and np.isfinite(fields).all()


def learner_of(config: ModelConfig, objective: Objective | None = None) -> Learner:
    torch.manual_seed(0)
    training, team = TrainingConfig(batch_size=B, clip_norm=1, micro_batch=B), Team(GPU)
    model = placed(build_model(config, 3, N, K), training, team)
    return Learner(model, objective or build_objective(config, model), training, team)


def learnt(learner: Learner, num_segments: int = K) -> None:
    """A step, and a validation; every number of it comes back."""
    x, labels = torch.randn(B, num_segments, 3, SIDE, SIDE), torch.arange(B) % N
    x = x if num_segments > 1 else x[:, 0]
    learner.model.train()
    tally = learner.learn(x, labels, 0)
    assert tally.videos == B and np.isfinite(tally.loss())
    assert {parameter.device for parameter in learner.model.parameters()} == {GPU}
    held_out = learner.evaluate([(x, labels)], 1, lambda: False)
    assert held_out is not None and held_out.videos == B


@on_a_gpu
@pytest.mark.parametrize("loss", [LiftedStructure(margin="exp"), Triplet(), SupCon(), ProxyAnchor(), ArcFace()], ids=lambda loss: loss.kind)
def test_every_loss_of_pairs_is_learnt_by(loss: MetricLoss) -> None:
    learnt(learner_of(NFMML(backbone="resnet10t", embedding_size=8, loss=loss)))


@on_a_gpu
@pytest.mark.parametrize(
    "config",
    [
        TSN(backbone="resnet10t", consensus="max"),
        TSN(backbone="resnet10t", consensus="weighted", partial_norm=True),
        NFMML(backbone="resnet10t", pooling="convolution", normalize=True),
    ],
    ids=lambda config: config.kind,
)
def test_every_system_learns(config: ModelConfig) -> None:
    learnt(learner_of(config))


@on_a_gpu
def test_a_stream_learns_from_single_snippets() -> None:
    learnt(learner_of(TwoStream(backbone="resnet10t")), num_segments=1)


@on_a_gpu
def test_several_datasets_are_learnt_together() -> None:
    learnt(learner_of(TSN(backbone="resnet10t"), JointClassification([1, 1])))


@on_a_gpu
def test_views_are_scored() -> None:
    learner = learner_of(TSN(backbone="resnet10t"))
    pieces, model = [np.zeros((5, 3, SIDE, SIDE), np.float32)] * 2, OneHead(learner.model.eval(), 0, 1)
    scores, embeddings = branch_views(model, pieces)
    assert scores.shape == (10, 1) and embeddings.shape == (10, 512)
    np.testing.assert_allclose(score_views(model, pieces), scores)


@pytest.mark.parametrize("name", list(BACKBONES))
def test_every_backbone_stays_on_its_device(name: Backbone) -> None:
    """On real tensors without numbers, which cost no memory: some of the networks are large."""
    with torch.device("meta"):
        net, x = build_backbone(name, 3), torch.empty(2, 3, 64, 64)
    assert net(x).device.type == "meta" == next(net.parameters()).device.type


def test_slow_fusion_stays_on_its_device() -> None:
    with torch.device("meta"):
        model, x = build_model(SlowFusion(), 33, N), torch.empty(2, 33, 224, 224)
    assert model(x).device.type == "meta"


def test_whole_frames_are_slid_over() -> None:
    with torch.device("meta"):
        model: nn.Module = build_model(TwoStream(backbone="cnn_m_2048"), 3, N).eval()
        prepare(model, DataConfig(input=RGBInput(), short_side=256, crop_size=224), Protocol(frames=1, crops=0))
        assert model(torch.empty(1, 3, 256, 320)).device.type == "meta"
