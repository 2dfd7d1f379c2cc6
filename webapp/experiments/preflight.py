"""What can be known of a run before it is queued: what would make it fail, and what the user should expect."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

from django.db.models import Count, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.experiment import ExperimentConfig
from ml.config.flow import FlowSpec
from ml.config.models import TwoStream
from ml.config.training import TrainingConfig
from ml.config.weights import find
from webapp.choices import name_of
from webapp.datasets.models import FlowCache, Split, SplitEntry, Video
from webapp.datasets.services.flow import is_complete
from webapp.experiments.config_rows import Difference, differences
from webapp.experiments.models import Run, weights_folder
from webapp.experiments.references import Gone, initial_run, on_split, other_splits
from webapp.jobs.models import Job
from webapp.punctuation import listed

SMALLEST_BALANCED_BATCH = 4


Level = Literal["error", "warning", "note", "success"]


@dataclass(frozen=True)
class Finding:
    """An `error` keeps the run from being queued, a `warning` does not, a `note` is good to know, a `success` says that all is well.

    `fields` are what it depends on: paths of the config, or fields of the launch form. `differences` are knobs of what was asked for,
    beside those of what is there. `run` is one that it speaks of.
    """

    level: Level
    message: str
    advice: str = ""
    differences: tuple[Difference, ...] = ()
    fields: tuple[str, ...] = ()
    run: Run | None = None


def preflight(split: Split, config: ExperimentConfig) -> list[Finding]:
    """All findings, errors first."""
    checks = (_videos(split, config), _training(config), _geometry(split, config), _flow(split, config), _weights(config))
    return worst_first([*chain(*checks), *_references(split, config)])


def alike(split: Split, config: ExperimentConfig) -> Iterator[Finding]:
    """The newest run with the same config on the split; one that came to nothing does not count."""
    same = Run.objects.filter(split=split, config=on_split(config, split).model_dump(mode="json"), is_archived=False)
    run = same.filter(job__state__in=(*Job.OPEN, Job.State.DONE)).order_by("-pk").first()
    if run is not None:
        begun = {"name": run.name, "time": date_format(localtime(run.created_at), "Y-m-d H:i")}
        yield Finding(
            "note",
            _("A run with all of these settings on this split is there: “%(name)s”, of %(time)s.") % begun,
            _("Another one tells something new if the dataset changed since; for another seed, change “Seed”."),
            run=run,
        )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: get_args(Level).index(finding.level))


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.level == "error" for finding in findings)


def _videos(split: Split, config: ExperimentConfig) -> Iterator[Finding]:
    usable = SplitEntry.objects.filter(split=split, video__status=Video.Status.OK)
    training = usable.filter(subset=SplitEntry.Subset.TRAIN)
    num_training = training.count()
    if not num_training:
        text = _("Split “%(split)s” has no training videos.") % {"split": split}
        yield Finding("error", text, _("Choose another split."), fields=("split",))
    elif (num_classes := training.values("video__label").distinct().count()) < 2:
        yield Finding(
            "error",
            _("The training videos belong to %(count)d class; a classifier needs two or more.") % {"count": num_classes},
            _("Add videos of another class, or choose another split."),
            fields=("split",),
        )
    elif config.training.batch_size > num_training:
        yield _large_batch(config.training, num_training)
    if config.training.sampling == "balanced":
        yield from _pairs(training, config.training.batch_size)
    if not usable.filter(subset=SplitEntry.Subset.TEST).exists():
        text = _("Split “%(split)s” has no test videos.") % {"split": split}
        yield Finding("error", text, _("Choose a split with a test subset."), fields=("split",))


def _large_batch(training: TrainingConfig, num_training: int) -> Finding:
    """What becomes of a batch that has room for all videos."""
    size = {"batch": training.batch_size, "videos": num_training}
    if training.steps_per_epoch:
        message = _("A batch of %(batch)d is more than the %(videos)d training videos: it has some of them twice.") % size
    else:
        message = _("A batch of %(batch)d has room for all %(videos)d training videos: every epoch is one step.") % size
    return Finding("note", message, _("A smaller batch makes more steps of an epoch."), fields=("training.batch_size",))


def _training(config: ExperimentConfig) -> Iterator[Finding]:
    """Drops of the learning rate that never come."""
    training = config.training
    if late := [epoch for epoch in training.milestones if epoch >= training.epochs]:
        late_ones = {"drops": ", ".join(map(str, late)), "epochs": training.epochs}
        yield Finding(
            "note",
            _("The learning rate never drops at %(drops)s: the training has %(epochs)d epochs.") % late_ones,
            _("Choose earlier drops, more epochs, or no drops."),
            fields=("training.milestones", "training.epochs"),
        )


def _pairs(training: QuerySet[SplitEntry], batch_size: int) -> Iterator[Finding]:
    """What class-balanced batches need: two videos of a class, and of another one."""
    if lonely := _lonely_classes(training):
        yield Finding(
            "error",
            _("Class-balanced batches need two training videos of every class; these have one: %(classes)s.") % {"classes": listed(lonely)},
            _("Add videos of these classes, choose another split, or another sampling."),
            fields=("training.sampling", "split"),
        )
    if batch_size < SMALLEST_BALANCED_BATCH:
        yield Finding(
            "error",
            _("A class-balanced batch of %(count)d videos has no two pairs.") % {"count": batch_size},
            _("Choose a batch of at least 4 videos."),
            fields=("training.batch_size", "training.sampling"),
        )


def _lonely_classes(training: QuerySet[SplitEntry]) -> list[str]:
    """Classes with one training video, the first ten."""
    counted = training.values("video__label__name").annotate(count=Count("pk")).filter(count=1).order_by("video__label__name")
    return [row["video__label__name"] for row in counted[:10]]


def _geometry(split: Split, config: ExperimentConfig) -> Iterator[Finding]:
    data, stored = config.data, split.dataset.frames.short_side
    if data.crop_size > data.short_side:
        size = {"crop": data.crop_size, "side": data.short_side}
        yield Finding(
            "error",
            _("A crop of %(crop)d px does not fit into a short side of %(side)d px.") % size,
            _("Choose a crop no larger than the rescaled short side."),
            fields=("data.crop_size", "data.short_side"),
        )
    if data.short_side > stored:
        size = {"side": data.short_side, "stored": stored}
        text = _("Frames are stored with a short side of %(stored)d px and would be enlarged to %(side)d px.") % size
        yield Finding("warning", text, fields=("data.short_side",))


def _flow(split: Split, config: ExperimentConfig) -> Iterator[Finding]:
    flow = config.data.input.reads_flow
    if flow is None or has_flow(split, flow):
        return
    message = _missing_flow(split, flow)
    nearest = _nearest(split, flow)
    advice = _("The dataset has flow that is not the same; with its settings, training need not wait.") if nearest else ""
    yield Finding("note", message, advice, nearest)


def _missing_flow(split: Split, asked: FlowSpec) -> str:
    cache = FlowCache.objects.filter(dataset=split.dataset_id, spec_id=asked.spec_id()).first()
    if cache is None or not cache.videos_done:
        return _("Its optical flow is not extracted yet: that is done first, and training waits for it.")
    missing = split.dataset.videos.filter(status=Video.Status.OK).count() - cache.videos_done - len(cache.videos_failed)
    return ngettext(
        "The optical flow of %(missing)d video is missing: it is extracted first, and training waits for it.",
        "The optical flow of %(missing)d videos is missing: it is extracted first, and training waits for it.",
        missing,
    ) % {"missing": missing}


def _nearest(split: Split, asked: FlowSpec) -> tuple[Difference, ...]:
    """How the complete flow of the dataset that is most like the one asked for differs from it; nothing where there is none."""
    complete = (cache for cache in FlowCache.objects.filter(dataset=split.dataset_id) if is_complete(cache))
    found = [differences([asked, FlowSpec.model_validate(cache.spec)]) for cache in complete]
    nearest = min(found, key=len, default=[])
    return tuple(nearest)


def has_flow(split: Split, flow: FlowSpec) -> bool:
    """Whether the flow of every usable video was extracted, or tried, with this spec."""
    cache = FlowCache.objects.filter(dataset=split.dataset_id, spec_id=flow.spec_id()).first()
    return cache is not None and is_complete(cache)


def _weights(config: ExperimentConfig) -> Iterator[Finding]:
    model = config.model
    if isinstance(model, TwoStream) and model.pretrained == "none" and model.trainable == "last_layer":
        yield Finding(
            "warning",
            _("Only the last layer is trained, on features that nobody trained."),
            _("Start from ImageNet weights, or train all layers."),
            fields=("model.two_stream.pretrained", "model.two_stream.trainable"),
        )
    if model.pretrained == "imagenet" and find(model.backbone, weights_folder()) is None:
        yield Finding(
            "warning",
            _("The ImageNet weights of %(backbone)s are not here; the worker's machine must have them.")
            % {"backbone": name_of(model.backbone)},
            _("Upload them on the page “Weights”, or have them fetched there; EfficientNet-Lite0 brings its own."),
            fields=tuple(f"model.{model.kind}.{name}" for name in ("backbone", "pretrained")),
        )


def _references(split: Split, config: ExperimentConfig) -> Iterator[Finding]:
    """Further datasets, and the run to start from."""
    try:
        others, start = other_splits(config), initial_run(config)
    except Gone as gone:
        yield Finding("error", gone.message, gone.advice)
        return
    datasets = [split.dataset_id, *(other.dataset_id for other in others)]
    if len(set(datasets)) < len(datasets):
        yield Finding(
            "error",
            _("A dataset is chosen twice: what one split trains on may be what the other one tests."),
            _("Choose each dataset once."),
            fields=("also",),
        )
    for other in others:
        if not other.entries.filter(subset=SplitEntry.Subset.TRAIN, video__status=Video.Status.OK).exists():
            text = _("Split “%(split)s” has no training videos.") % {"split": other}
            yield Finding("error", text, _("Choose another split."), fields=("also",))
    if start is not None:
        yield from _start(start.experiment, config)


def _start(start: ExperimentConfig, config: ExperimentConfig) -> Iterator[Finding]:
    same = (start.model.kind, start.model.backbone) == (config.model.kind, config.model.backbone)
    if not same or start.data.input != config.data.input:
        yield Finding(
            "error",
            _("The run to start from has another network or another input."),
            _("Choose a run with the same network and input, or none."),
            fields=("start",),
        )
