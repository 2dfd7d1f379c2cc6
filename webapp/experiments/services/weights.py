"""Pretrained weights on their way: which backbones have theirs, and how a new file comes in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.contrib.auth.models import User
from django.db import transaction

from ml.config.models import Backbone
from ml.config.weights import IMAGENET, Published, find
from ml.config.weights import weights_folder as torch_folder
from webapp.datasets.models import Upload
from webapp.experiments.models import WeightsFile, weights_folder
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit


@dataclass(frozen=True)
class Shelf:
    """A backbone, the file it wants, and whence it has it; `can_be_fetched` where a button would bring it, and none was pressed."""

    backbone: Backbone
    wanted: Published
    origin: Literal["", "uploaded", "cache", "package"]
    can_be_fetched: bool


def shelves() -> Iterator[Shelf]:
    """Every backbone, as this machine would load it."""
    coming = set(WeightsFile.objects.filter(is_fetched=True, job__state__in=Job.OPEN).values_list("backbone", flat=True))
    for backbone, wanted in IMAGENET.items():
        origin = _origin(find(backbone, weights_folder()))
        yield Shelf(backbone, wanted, origin, wanted.can_be_fetched and not origin and backbone not in coming)


def _origin(path: Path | None) -> Literal["", "uploaded", "cache", "package"]:
    if path is None:
        return ""
    return "uploaded" if path.parent == weights_folder() else "cache" if path.parent == torch_folder() else "package"


@transaction.atomic
def check_weights(user: User, upload: Upload, backbone: Backbone) -> WeightsFile:
    """A row for the file, and the job that compares it with the backbone and keeps it if it fits."""
    job = open_job(Job.Kind.WEIGHTS, f"{upload.name} · {backbone}", user)
    weights = WeightsFile.objects.create(backbone=backbone, name=upload.name, user=user, upload=upload, job=job)
    submit(job, weights.pk)
    return weights


@transaction.atomic
def fetch_weights(user: User, backbone: Backbone) -> tuple[WeightsFile, bool]:
    """A row for the published file and the job that fetches and keeps it, and whether they are new: nobody fetches a file twice at once."""
    list(User.objects.select_for_update().filter(is_superuser=True))  # all who may: one after another
    coming = WeightsFile.objects.select_related("job").filter(backbone=backbone, is_fetched=True, job__state__in=Job.OPEN).first()
    if coming is not None:
        return coming, False
    name = IMAGENET[backbone].file
    job = open_job(Job.Kind.WEIGHTS, f"{name} · {backbone}", user)
    weights = WeightsFile.objects.create(backbone=backbone, name=name, user=user, is_fetched=True, job=job)
    submit(job, weights.pk)
    return weights, True
