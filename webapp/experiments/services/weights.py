"""Uploaded weights on their way: which backbones have theirs, and the check of a new file."""

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
    """A backbone, the file it wants, and whence it has it."""

    backbone: Backbone
    wanted: Published
    origin: Literal["", "uploaded", "cache", "package"]


def shelves() -> Iterator[Shelf]:
    """Every backbone, as this machine would load it."""
    for backbone, wanted in IMAGENET.items():
        yield Shelf(backbone, wanted, _origin(find(backbone, weights_folder())))


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
