"""The web process: start, memory, and pages over a dataset the size of UCF101."""

import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Row, run_python

if TYPE_CHECKING:
    from webapp.datasets.models import Dataset, Video

START = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'webapp.settings'; import webapp.wsgi, webapp.urls"


def process_rows() -> list[Row]:
    """Start time and peak memory of the web process, with every page's code imported; beside an interpreter that imports torch."""
    (seconds, size), (torch_seconds, torch_size) = run_python(START), run_python("import torch")
    return [
        Row("web process: start", f"{seconds:.2f} s", f"import torch: {torch_seconds:.2f} s", torch_seconds / seconds, "< 1.5 s"),
        Row(
            "web process: memory", f"{size / 2**20:.0f} MiB", f"import torch: {torch_size / 2**20:.0f} MiB", torch_size / size, "< 100 MiB"
        ),
    ]


def ucf101_names(data: Path) -> list[tuple[str, str, str]]:
    """(path, class, subset) of split 1 from the official lists."""
    folder = data / "annotations" / "ucf101"
    return [
        (line.split()[0], line.split("/")[0], subset)
        for subset, file in (("train", "trainlist01.txt"), ("test", "testlist01.txt"))
        for line in (folder / file).read_text().split("\n")
        if line.strip()
    ]


def page_rows(data: Path) -> list[Row]:
    """Server time of the heaviest pages over 13,320 rows of videos with an evaluation of the test subset."""
    import django
    from django.core.management import call_command

    django.setup()
    from django.conf import settings
    from django.test import Client

    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    dataset_id, evaluation_id = fill(ucf101_names(data))
    client = Client()
    client.login(username="bench", password="bench")  # noqa: S106
    pages = {
        "home": "/",
        "datasets": "/datasets/",
        "dataset": f"/datasets/{dataset_id}/",
        "browse": f"/datasets/{dataset_id}/videos/",
        "experiments": "/experiments/",
        "evaluation: recall, confusion, mistakes": f"/experiments/evaluations/{evaluation_id}/",
        "embedding: map of 3,783 videos, nearest classes": f"/experiments/evaluations/{evaluation_id}/embedding",
    }
    rows = []
    for title, address in pages.items():
        assert client.get(address).status_code == 200, address
        seconds = min(timed(client, address) for _ in range(5))
        rows.append(Row(f"page, 13,320 videos × 101 classes: {title}", f"{1000 * seconds:.0f} ms", bar="< 200 ms"))
    return rows


def timed(client: object, address: str) -> float:
    """Seconds of one request, rendering included."""
    start = time.perf_counter()
    client.get(address)  # type: ignore[attr-defined]
    return time.perf_counter() - start


def fill(names: list[tuple[str, str, str]]) -> tuple[int, int]:
    """Rows of a dataset with its split, a run and an evaluation; → dataset and evaluation id."""
    from django.contrib.auth.models import User

    from ml.config.evaluation import Protocol
    from ml.config.presets import PRESETS
    from webapp.datasets.models import Dataset, Split, SplitEntry
    from webapp.experiments.models import Evaluation, Run
    from webapp.jobs.models import Job
    from worker.tasks.results import record_results

    user = User.objects.create_superuser("bench", password="bench")  # noqa: S106
    dataset = Dataset.objects.create(name="UCF101", owner=user, layout="ucf101", frame_spec={})
    videos = add_videos(dataset, names)
    split = Split.objects.create(dataset=dataset, name="1", origin="official")
    SplitEntry.objects.bulk_create(SplitEntry(split=split, video=v, subset=n[2]) for v, n in zip(videos, names, strict=True))
    job = Job.objects.create(kind=Job.Kind.TRAIN, title="bench", user=user, dataset=dataset, subject_id=1, state=Job.State.DONE)
    config = PRESETS["cpu_spatial"].config.model_dump(mode="json")
    run = Run.objects.create(name="bench", owner=user, dataset=dataset, split=split, config=config, job=job)
    evaluation = Evaluation.objects.create(run=run, subset="test", protocol=Protocol().model_dump(), job=job)
    classes = classes_of(names)
    tested = {video.key: classes.index(name) for video, (_path, name, subset) in zip(videos, names, strict=True) if subset == "test"}
    write_evaluation(evaluation.folder, tested, classes)
    record_results(evaluation)
    return dataset.pk, evaluation.pk


def classes_of(names: list[tuple[str, str, str]]) -> list[str]:
    return sorted({name for _path, name, _subset in names})


def add_videos(dataset: "Dataset", names: list[tuple[str, str, str]]) -> "list[Video]":
    """With their classes, in their order."""
    from webapp.datasets.models import Label, Video

    labels = Label.objects.bulk_create(Label(dataset=dataset, index=i, name=name) for i, name in enumerate(classes_of(names)))
    label_of = {label.name: label for label in labels}
    return Video.objects.bulk_create(
        Video(
            dataset=dataset, key=f"v{i:06}", path=path, media=f"{i:064x}", label=label_of[name], frames=180, fps=25, width=320, height=240,
            group=re.findall(r"_(g\d\d)_", path)[0], duration_seconds=7.2, size_bytes=500_000, codec="mpeg4",
        )
        for i, (path, name, _subset) in enumerate(names)
    )  # fmt: skip


def write_evaluation(folder: Path, labels: dict[str, int], classes: list[str]) -> None:
    """What the engine leaves of a test: three videos of four are right, and a class is a cloud in 16 dimensions."""
    import numpy as np

    from ml.config.evaluation import Protocol
    from ml.evaluation.embedding.file import Embeddings
    from ml.evaluation.embedding.report import write_embeddings
    from ml.evaluation.results import write_results
    from ml.evaluation.scores import Scores

    V, N, rng = len(labels), len(classes), np.random.default_rng(0)
    index, number, keys = np.array(list(labels.values())), np.arange(V), np.array(list(labels))
    guessed = np.where(number % 4 > 0, index, (index + number // 4 % 5 + 1) % N)
    scores = (rng.normal(size=(V, N)) + 8 * np.eye(N)[guessed]).astype(np.float32)
    x = (rng.normal(size=(V, 16)) + rng.normal(size=(N, 16))[index]).astype(np.float32)
    about = {"short": Protocol().short(), "description": Protocol().describe(), "subset": "test", "split": "1"}
    folder.mkdir(parents=True)
    write_results(folder, Scores(scores, index, keys, np.full(V, ""), np.array(classes), about))
    space = {"space": {"kind": "metric", "is_unit": False}}
    write_embeddings(folder, Embeddings(x, index, keys, np.array(classes), {**about, **space}))


def run(data: Path) -> list[Row]:
    """All rows of this file, over a database that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KINETOSCOPE_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
        return [*process_rows(), *page_rows(data)]
