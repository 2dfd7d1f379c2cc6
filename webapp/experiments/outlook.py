"""What a launch would do, in words: only what is certain before anything is queued."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from ml.config.experiment import ExperimentConfig
from ml.errors import in_sentences
from webapp.choices import name_of
from webapp.datasets.models import Split, SplitEntry, Video
from webapp.experiments.preflight import Finding, has_errors, has_flow
from webapp.punctuation import labelled


def outlook(split: Split, streams: Mapping[str, ExperimentConfig], found: Sequence[Finding]) -> list[Finding]:
    """That the streams, each by its name, may be launched, and what each does then; nothing while an error stands against it."""
    if has_errors(found):
        return []
    is_warned = any(finding.level == "warning" for finding in found)
    message = _("It can be launched all the same.") if is_warned else _("Nothing stands against it.")
    return [Finding("note" if is_warned else "success", message, reduce(in_sentences, _sentences(split, streams)))]


def _sentences(split: Split, streams: Mapping[str, ExperimentConfig]) -> Iterator[str]:
    """What all streams have in common is said once."""
    for name, config in streams.items():
        yield from (of_stream(name, sentence) for sentence in _flow(split, config))
    trainings = {_training(split, config, pgettext("who trains", "It")): name for name, config in streams.items()}
    if len(trainings) < len(streams):
        yield _training(split, next(iter(streams.values())), pgettext("who trains", "Each stream"))
    else:
        yield from (of_stream(name, training) for training, name in trainings.items())
    yield _test(split)


def of_stream(name: str, text: str) -> str:
    """What is said of one of several streams; a single one has no name."""
    return labelled(name, text) if name else text


def _flow(split: Split, config: ExperimentConfig) -> list[str]:
    """Missing flow is a finding of its own."""
    flow = config.data.input.reads_flow
    if flow is None or not has_flow(split, flow):
        return []
    return [_("Its flow (%(method)s) is there already.") % {"method": name_of(flow.method.kind)}]


def _training(split: Split, config: ExperimentConfig, who: str) -> str:
    """Steps are counted where the config says how many there are, or where no video is held out of them."""
    training, num_videos = config.training, _count(split, SplitEntry.Subset.TRAIN)
    epochs = ngettext("%(n)d epoch", "%(n)d epochs", training.epochs) % {"n": training.epochs}
    numbers = {"who": who, "epochs": epochs, "videos": num_videos, "batch": training.batch_size}
    if training.steps_per_epoch:
        steps = {"each": training.steps_per_epoch, "steps": training.epochs * training.steps_per_epoch}
        return _("%(who)s trains for %(epochs)s × %(each)d steps = %(steps)d steps of %(batch)d videos.") % {**numbers, **steps}
    if config.data.also:
        return _("%(who)s trains for %(epochs)s on the training videos of all its datasets, in batches of %(batch)d.") % numbers
    numbers["steps"] = training.epochs * -(-num_videos // training.batch_size)
    if not config.data.validation_fraction:
        return _("%(who)s trains for %(epochs)s on the %(videos)d training videos in batches of %(batch)d: %(steps)d steps.") % numbers
    return (
        _(
            "%(who)s trains for %(epochs)s on the %(videos)d training videos less those held out for validation, "
            "in batches of %(batch)d: at most %(steps)d steps."
        )
        % numbers
    )


def _test(split: Split) -> str:
    num_videos = _count(split, SplitEntry.Subset.TEST)
    text = ngettext("Then it is tested on the %(videos)d test video.", "Then it is tested on the %(videos)d test videos.", num_videos)
    return text % {"videos": num_videos}


def _count(split: Split, subset: str) -> int:
    return split.entries.filter(subset=subset, video__status=Video.Status.OK).count()
