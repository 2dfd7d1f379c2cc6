"""A stream learns, keeps what is frozen, and does as its config says."""

import torch
from torch import nn

from ml.backbones import Backbone
from ml.backbones.normalization import normalize
from ml.config.models import TwoStream
from ml.models import build_model
from ml.models.two_stream import Stream


def frozen_stream() -> Stream:
    torch.manual_seed(0)
    stream = build_model(TwoStream(trainable="last_layer"), in_channels=3, num_classes=4)
    assert isinstance(stream, Stream)
    return stream


def step(stream: nn.Module, x: torch.Tensor, y: torch.Tensor, optimizer: torch.optim.Optimizer) -> float:
    loss = nn.functional.cross_entropy(stream(x), y)
    optimizer.zero_grad()
    torch.autograd.backward(loss)
    optimizer.step()
    return loss.item()


def test_last_layer_training_changes_nothing_else_running_statistics_included() -> None:
    stream = frozen_stream().train()
    before = {name: tensor.clone() for name, tensor in stream.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in stream.parameters() if p.requires_grad], lr=0.1)

    for _ in range(3):
        step(stream, torch.rand(4, 3, 32, 32) * 255, torch.arange(4), optimizer)

    changed = {name for name, tensor in stream.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_training_all_layers_moves_running_statistics() -> None:
    stream = build_model(TwoStream(), in_channels=3, num_classes=4).train()
    before = {name: buffer.clone() for name, buffer in stream.named_buffers() if name.endswith("running_mean")}

    stream(torch.rand(4, 3, 32, 32) * 255)

    after = dict(stream.named_buffers())
    assert before and all(not torch.equal(after[name], mean) for name, mean in before.items())


def test_a_stream_overfits_a_handful_of_images_in_seconds() -> None:
    torch.manual_seed(1)
    stream = build_model(TwoStream(dropout=0), in_channels=3, num_classes=4).train()
    x, y = torch.rand(4, 3, 48, 48) * 255, torch.arange(4)
    optimizer = torch.optim.SGD(stream.parameters(), lr=0.01, momentum=0.9)

    losses = [step(stream, x, y, optimizer) for _ in range(40)]

    assert losses[0] > 1.0
    assert losses[-1] < 0.05
    assert torch.equal(stream.eval()(x).argmax(1), y)


def test_the_config_reaches_dropout_and_the_widths() -> None:
    stream = build_model(TwoStream(dropout=0.9), in_channels=6, num_classes=7)

    assert isinstance(stream, Stream)
    assert stream.dropout.p == 0.9
    assert stream.backbone.normalize.mean.shape == (6, 1, 1)
    assert stream.classifier.out_features == 7


def test_a_stream_is_normalisation_then_features_then_a_linear_layer() -> None:
    backbone = Backbone(nn.Flatten(), num_features=12, normalize=normalize(3, (10.0, 20.0, 30.0), (2.0, 4.0, 5.0)))
    stream = Stream(backbone, num_classes=2, dropout=0.5).eval()
    x = torch.rand(1, 3, 2, 2) * 255

    levels = (x - torch.tensor([10.0, 20.0, 30.0]).view(3, 1, 1)) / torch.tensor([2.0, 4.0, 5.0]).view(3, 1, 1)
    expected = levels.flatten(1) @ stream.classifier.weight.T + stream.classifier.bias

    torch.testing.assert_close(stream(x), expected)
