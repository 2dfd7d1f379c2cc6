"""The training loop: it learns, tells, stops, and goes on as if it had never stopped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ml.config.training import TrainingConfig
from ml.errors import BadCheckpoint, BadConfig, NotANumber, OutOfMemory
from ml.events import CheckpointSaved, DeviceUse, EpochEnded, Event, Progress, Started, StepsDone, Stopped
from ml.process import Stop
from ml.training import checkpoint
from ml.training import trainer as module
from ml.training.objective import Outcome, classification
from ml.training.trainer import Every, Trainer
from tests.ml.training_data import tiny_net, training_data

CONFIG = TrainingConfig(epochs=4, batch_size=4, learning_rate=0.05, milestones=(2, 3), device="cpu")


def build(folder: Path, config: TrainingConfig = CONFIG, stop: Stop | None = None, **changes: object) -> Trainer:
    data = replace(training_data(config.batch_size), **changes)  # type: ignore[arg-type]
    return Trainer(tiny_net(), data, config, folder / "checkpoint.safetensors", config.model_dump(mode="json"), stop or Stop())


def logged(events: list[Event]) -> list[Event]:
    """What must not depend on time or interruptions."""
    steps = [replace(event, videos_per_second=0.0) if isinstance(event, StepsDone) else event for event in events]
    return [event for event in steps if isinstance(event, StepsDone | EpochEnded)]


def weights(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}


def run_until(trainer: Trainer, steps: int) -> list[Event]:
    """Ask to stop when so many steps are done, as a signal would."""
    events = []
    for event in trainer.run():
        events.append(event)
        if trainer.steps_done >= steps:
            trainer.stop.requested = True
    return events


def test_training_tells_its_beginning_every_epoch_and_every_checkpoint(tmp_path: Path) -> None:
    events = list(build(tmp_path).run())

    assert events[0] == Started("train", 20, "steps")
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == [1, 2, 3, 4]
    assert [event.step for event in events if isinstance(event, StepsDone)] == list(range(1, 21))
    assert [(event.epoch, event.step) for event in events if isinstance(event, CheckpointSaved)] == [(1, 5), (2, 10), (3, 15), (4, 20)]


def test_training_learns_and_validates_with_three_numbers(tmp_path: Path) -> None:
    events = list(build(tmp_path, CONFIG.replace(epochs=60, learning_rate=0.01, milestones=())).run())

    epochs = [event for event in events if isinstance(event, EpochEnded)]
    assert epochs[-1].train["loss"] < epochs[0].train["loss"] * 0.8
    assert set(epochs[-1].validation) == {"loss", "top1", "mean_class_accuracy"}
    assert epochs[-1].validation["top1"] > 0.5


def test_validation_numbers_are_those_of_the_network_in_evaluation_mode(tmp_path: Path) -> None:
    trainer = build(tmp_path, CONFIG.replace(epochs=1))
    ended = next(event for event in trainer.run() if isinstance(event, EpochEnded))

    assert trainer.data.validation is not None
    x = torch.stack([trainer.data.validation[i][0] for i in range(7)])
    labels = [int(trainer.data.validation[i][1]) for i in range(7)]
    scores = trainer.model.eval()(x).detach()
    recalls = []
    for label in range(3):
        of_class = [i for i in range(7) if labels[i] == label]
        recalls.append(sum(int(scores[i].argmax()) == label for i in of_class) / len(of_class))
    loss = -sum(float(scores[i].log_softmax(0)[labels[i]]) for i in range(7)) / 7
    assert ended.validation["mean_class_accuracy"] == pytest.approx(sum(recalls) / 3)
    assert ended.validation["loss"] == pytest.approx(loss, rel=1e-5)


def test_without_validation_videos_an_epoch_has_training_numbers_only(tmp_path: Path) -> None:
    events = list(build(tmp_path, CONFIG.replace(epochs=1), validation=None).run())

    ended = next(event for event in events if isinstance(event, EpochEnded))
    assert ended.validation == {}
    assert set(ended.train) == {"loss", "top1"}


def test_the_learning_rate_drops_after_its_milestones(tmp_path: Path) -> None:
    steps = [event for event in build(tmp_path).run() if isinstance(event, StepsDone)]

    rates = {event.epoch: event.learning_rate for event in steps}
    assert rates == pytest.approx({1: 0.05, 2: 0.05, 3: 0.005, 4: 0.0005})


@pytest.mark.parametrize("stops", [(1,), (5,), (7,), (3, 4, 11, 19)])
def test_a_resumed_run_equals_the_uninterrupted_one_bit_for_bit(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole = build(tmp_path / "whole")
    expected = logged(list(whole.run()))

    events: list[Event] = []
    for steps in stops:
        events += run_until(build(tmp_path / "parts"), steps)
        assert isinstance(events[-1], Stopped)
    last = build(tmp_path / "parts")
    events += list(last.run())

    assert logged(events) == expected
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(last).items())


def test_a_stop_during_validation_repeats_only_the_validation(tmp_path: Path) -> None:
    whole = build(tmp_path / "whole")
    expected = logged(list(whole.run()))
    stopped = build(tmp_path / "parts")
    events = run_until(stopped, 5)

    assert stopped.place.step == 5 and stopped.place.epoch == 0
    assert logged(events + list(build(tmp_path / "parts").run())) == expected


def test_a_run_killed_without_warning_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    whole = build(tmp_path / "whole")
    list(whole.run())
    killed = build(tmp_path / "parts").run()
    next(event for event in killed if isinstance(event, StepsDone) and event.step == 12)
    killed.close()

    last = build(tmp_path / "parts")

    assert last.steps_done == 10
    list(last.run())
    assert all(torch.equal(tensor, weights(whole)[name]) for name, tensor in weights(last).items())


def test_a_finished_run_started_again_does_nothing_and_tells_the_same(tmp_path: Path) -> None:
    first, second = _summary(build(tmp_path)), _summary(build(tmp_path))

    assert first == second
    assert first is not None and first["steps"] == 20


def _summary(trainer: Trainer) -> dict[str, object] | None:
    events = trainer.run()
    while True:
        try:
            next(events)
        except StopIteration as end:
            summary: dict[str, object] | None = end.value
            return summary


def test_a_stop_before_the_first_step_is_obeyed(tmp_path: Path) -> None:
    stop = Stop()
    stop.requested = True

    events = list(build(tmp_path, stop=stop).run())

    assert isinstance(events[-1], Stopped)
    assert not logged(events)


def test_loader_processes_do_not_change_a_number(tmp_path: Path) -> None:
    alone = logged(list(build(tmp_path / "0", CONFIG.replace(epochs=2)).run()))
    helped = logged(list(build(tmp_path / "2", CONFIG.replace(epochs=2, loader_workers=2)).run()))

    assert helped == alone


def test_an_infinite_loss_ends_the_run_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    list(build(tmp_path, CONFIG).run())
    good = (tmp_path / "checkpoint.safetensors").read_bytes()
    longer = Trainer(
        tiny_net(), training_data(), CONFIG.replace(epochs=9), tmp_path / "checkpoint.safetensors", CONFIG.model_dump(mode="json"), Stop(),
        objective=lambda model, x, labels, step: _broken(classification(model, x, labels, step)),
    )  # fmt: skip

    with pytest.raises(NotANumber, match=r"loss “cross_entropy” became inf at step 21 \(epoch 5\) with learning rate 0\.0005"):
        list(longer.run())

    assert (tmp_path / "checkpoint.safetensors").read_bytes() == good


def _broken(outcome: Outcome) -> Outcome:
    return Outcome({name: loss * torch.inf for name, loss in outcome.losses.items()}, outcome.scores)


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    trainer = build(tmp_path)
    with torch.no_grad():
        next(trainer.model.parameters())[0] = torch.nan
    trainer.stop.requested = True

    with pytest.raises(NotANumber, match=r"weight 0\.weight was no longer finite"):
        list(trainer.run())

    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_a_full_gpu_is_an_error_with_advice(tmp_path: Path) -> None:
    def full(model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    trainer = build(tmp_path)
    trainer.learner.objective = full

    with pytest.raises(OutOfMemory, match="does not hold 4 videos at once") as caught:
        list(trainer.run())

    assert "fewer than 4 videos at once" in caught.value.advice


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_asking_for_a_gpu_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no usable NVIDIA GPU"):
        build(tmp_path, CONFIG.replace(device="cuda"))


def test_another_config_does_not_resume_and_the_fields_are_named(tmp_path: Path) -> None:
    list(build(tmp_path).run())

    with pytest.raises(BadCheckpoint, match=r"learning_rate was 0\.05, is 0\.1"):
        build(tmp_path, CONFIG.replace(learning_rate=0.1))


def test_gradients_are_clipped_to_the_norm_asked_for(tmp_path: Path) -> None:
    trainer = build(tmp_path, CONFIG.replace(clip_norm=1e-6, momentum=0, weight_decay=0, epochs=1))
    before = weights(trainer)

    list(trainer.run())

    moved = [(weights(trainer)[name] - before[name]).norm().item() for name, _ in trainer.model.named_parameters()]
    assert 0 < max(moved) <= 5 * 0.05 * 1e-6 * 1.01


def test_time_brings_progress_device_use_and_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROGRESS_SECONDS", "DEVICE_SECONDS", "CHECKPOINT_SECONDS"):
        monkeypatch.setattr(module, name, 0.0)

    events = list(build(tmp_path, CONFIG.replace(epochs=1)).run())

    assert [event.done for event in events if isinstance(event, Progress)] == [0, 1, 2, 3, 4, 5]
    assert [event.step for event in events if isinstance(event, CheckpointSaved)] == [1, 2, 3, 4, 5, 5]
    use = next(event for event in events if isinstance(event, DeviceUse))
    assert use.device == "cpu" and use.memory_bytes > 10_000_000 and use.gpu_percent is None


def test_every_is_due_once_in_its_seconds() -> None:
    times: Iterator[float] = iter([0.0, 0.5, 1.5, 1.5, 2.0, 3.0, 3.0])
    every = Every(1.0, clock=lambda: next(times))

    assert [every.due() for _ in range(4)] == [False, True, False, True]


def plain(folder: Path, config: TrainingConfig, **changes: object) -> Trainer:
    """As `build`, without batch normalisation and dropout."""
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
    data, checkpoint = training_data(config.batch_size), folder / "checkpoint.safetensors"
    return Trainer(net, data, config, checkpoint, config.model_dump(mode="json"), Stop(), **changes)  # type: ignore[arg-type]


def curve(trainer: Trainer) -> list[float]:
    return [loss for event in trainer.run() if isinstance(event, StepsDone) for loss in event.losses.values()]


@pytest.mark.parametrize("micro_batch", [1, 2, 3])
def test_a_batch_in_parts_gives_the_numbers_of_the_whole(tmp_path: Path, micro_batch: int) -> None:
    config = CONFIG.replace(batch_size=5, clip_norm=1.0)
    seen: list[int] = []

    def watched(model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
        seen.append(len(x))
        return classification(model, x, labels)

    whole, parts = plain(tmp_path / "whole", config), plain(tmp_path / "parts", config.replace(micro_batch=micro_batch), objective=watched)

    assert curve(parts) == pytest.approx(curve(whole), rel=1e-4)
    for name, tensor in weights(parts).items():
        torch.testing.assert_close(tensor, weights(whole)[name], rtol=1e-4, atol=1e-6)
    assert max(seen) <= micro_batch


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_learns_nearly_the_same_and_keeps_weights_and_losses_in_32_bits(tmp_path: Path, precision: str) -> None:
    half = plain(tmp_path / "half", CONFIG.replace(precision=precision))
    losses = curve(half)

    assert losses == pytest.approx(curve(plain(tmp_path / "whole", CONFIG)), rel=0.06)
    assert {tensor.dtype for tensor in weights(half).values()} == {torch.float32}
    x, labels = torch.randn(4, 2, 4, 4), torch.arange(4) % 3
    outcome = half.learner.judge(x, labels, 0)
    assert outcome.total.dtype == torch.float32 and outcome.scores.dtype == getattr(torch, precision)


def test_a_resumed_run_in_float16_goes_on_with_its_scale(tmp_path: Path) -> None:
    config = CONFIG.replace(precision="float16", batch_size=4)
    whole = plain(tmp_path / "whole", config)
    whole.learner.scaler.load_state_dict({**whole.learner.scaler.state_dict(), "growth_interval": 3})
    expected = curve(whole)

    first = plain(tmp_path / "parts", config)
    first.learner.scaler.load_state_dict({**first.learner.scaler.state_dict(), "growth_interval": 3})
    told = [loss for event in run_until(first, 7) if isinstance(event, StepsDone) for loss in event.losses.values()]
    last = plain(tmp_path / "parts", config)

    assert told + curve(last) == expected
    assert last.learner.scaler.get_scale() == whole.learner.scaler.get_scale() != 65536.0


def test_a_gradient_that_overflows_in_float16_costs_a_step_and_halves_the_scale(tmp_path: Path) -> None:
    def steep(model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
        outcome = classification(model, x, labels)
        return Outcome({"cross_entropy": outcome.losses["cross_entropy"] * (1e36 if step == 0 else 1.0)}, outcome.scores)

    trainer = plain(tmp_path, CONFIG.replace(precision="float16"), objective=steep)
    before = weights(trainer)
    steps = trainer.run()
    next(event for event in steps if isinstance(event, StepsDone))

    assert trainer.learner.scaler.get_scale() == 32768.0
    assert all(torch.equal(tensor, before[name]) for name, tensor in weights(trainer).items())


@pytest.mark.parametrize("changes", [{}, {"micro_batch": 1}, {"precision": "bfloat16"}])
def test_a_gradient_that_is_not_a_number_is_told_at_its_step_by_the_name_of_its_parameter(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    class Root(torch.autograd.Function):
        """The identity, whose gradient is not a number."""

        @staticmethod
        def forward(context: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(context: object, gradient: Tensor) -> Tensor:
            return gradient * torch.nan

    def broken(model: nn.Module, x: Tensor, labels: Tensor, step: int) -> Outcome:
        outcome = classification(model, x, labels)
        return outcome if step < 7 else Outcome({"cross_entropy": Root.apply(outcome.losses["cross_entropy"])}, outcome.scores)  # type: ignore[no-untyped-call]

    trainer = plain(tmp_path, CONFIG.replace(**changes), objective=broken)

    with pytest.raises(NotANumber, match=r"The gradient of 0\.weight became nan at step 8 \(epoch 2\)"):
        list(trainer.run())

    saved = checkpoint.load(tmp_path / "checkpoint.safetensors", trainer.passport)
    assert saved.progress["epoch"] == 1
    assert all(bool(tensor.isfinite().all()) for tensor in saved.tensors.values())


def test_channels_last_changes_the_layout_and_no_number(tmp_path: Path) -> None:
    trainer = plain(tmp_path / "last", CONFIG.replace(channels_last=True))

    assert trainer.model.get_parameter("0.weight").is_contiguous(memory_format=torch.channels_last)
    assert curve(trainer) == pytest.approx(curve(plain(tmp_path / "first", CONFIG)), rel=1e-4)


def test_a_machine_that_cannot_compile_says_so_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(function: object) -> object:
        raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found\nin this list: …")

    monkeypatch.setattr(torch, "compile", broken)

    with pytest.raises(BadConfig, match=r"does not work on this machine: .*No working C\+\+ compiler found$") as caught:
        plain(tmp_path, CONFIG.replace(compile=True))

    assert "turn “Compile” off" in caught.value.advice
