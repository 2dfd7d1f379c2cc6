"""A plant of real processes, and a flow extraction that takes some seconds."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import transaction

from ml.config.data import FrameSpec
from ml.config.flow import Farneback, FlowSpec
from ml.video.pack import write_frame_pack
from tests.processes import Plant, empty_folders, running_plant
from tests.webapp.factories import make_dataset, make_user
from webapp.datasets.models import Dataset, FlowCache, Video, media_store
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit

NUM_VIDEOS, NUM_FRAMES = 6, 2
LONG = 250
SPEC = FlowSpec(method=Farneback(num_iterations=20, window_size=63, poly_n=7, num_levels=10, pyramid_scale=0.9))
"""Slow, and without torch, whose import would be slower: 15 ms for one pair of these small frames."""


@pytest.fixture(scope="module")
def standing_plant(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: object) -> Iterator[Plant]:
    with django_db_blocker.unblock(), running_plant(tmp_path_factory.mktemp("plant")) as plant:  # type: ignore[attr-defined]
        yield plant


@pytest.fixture
def plant(standing_plant: Plant, transactional_db: None) -> Iterator[Plant]:
    """Everything up, whatever the test before has killed; the logs stand beside a failure."""
    standing_plant.repair()
    yield standing_plant
    print(standing_plant.logs())


@pytest.fixture
def user(transactional_db: None) -> User:
    return make_user()


@pytest.fixture
def dataset(user: User) -> Dataset:
    """Videos with frames of moving noise, and nothing else."""
    dataset = make_dataset(user, classes=("left", "right"), videos_per_class=NUM_VIDEOS // 2)
    for video in dataset.videos.all():
        write_frames(video, NUM_FRAMES)
    return dataset


def write_frames(video: Video, num_frames: int) -> None:
    noise = np.random.default_rng(video.pk).integers(0, 255, (60, 80, 3), np.uint8)
    frames = [np.roll(noise, index, axis=1) for index in range(num_frames)]
    Video.objects.filter(pk=video.pk).update(frames=num_frames, width=80, height=60)
    write_frame_pack(media_store().frames(video.media, FrameSpec().spec_id()), frames, FrameSpec())


@pytest.fixture
def long_video(dataset: Dataset) -> Callable[[], None]:
    """The first video is long, so that a job is caught at work; afterwards it can be made as short as the others."""
    first = dataset.videos.order_by("pk")[0]
    write_frames(first, LONG)
    return partial(write_frames, first, NUM_FRAMES)


@pytest.fixture
def flow_job(user: User, dataset: Dataset) -> Callable[[], Job]:
    """Submits the extraction of the dataset's flow."""

    def submitted() -> Job:
        with transaction.atomic():
            cache, _created = FlowCache.objects.get_or_create(
                dataset=dataset, spec_id=SPEC.spec_id(), defaults={"spec": SPEC.model_dump(mode="json")}
            )
            job = open_job(Job.Kind.FLOW, "flow", user, dataset)
            submit(job, cache.pk)
        return job

    return submitted


@pytest.fixture(autouse=True)
def no_old_files() -> Iterator[None]:
    with empty_folders():
        yield
