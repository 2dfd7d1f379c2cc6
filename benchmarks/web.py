"""The web process: start, memory, and pages over a dataset the size of UCF101."""

import os
import re
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row, run_python

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
    from webapp.datasets.models import Dataset, Label, Split, SplitEntry, Video
    from webapp.experiments.models import Evaluation, Run, VideoScore
    from webapp.jobs.models import Job

    user = User.objects.create_superuser("bench", password="bench")  # noqa: S106
    dataset = Dataset.objects.create(name="UCF101", owner=user, layout="ucf101", frame_spec={})
    classes = sorted({name for _path, name, _subset in names})
    labels = {
        label.name: label for label in Label.objects.bulk_create(Label(dataset=dataset, index=i, name=n) for i, n in enumerate(classes))
    }
    videos = Video.objects.bulk_create(
        Video(
            dataset=dataset, key=f"v{i:06}", path=path, media=f"{i:064x}", label=labels[name], frames=180, fps=25, width=320, height=240,
            group=re.findall(r"_(g\d\d)_", path)[0], duration_seconds=7.2, size_bytes=500_000, codec="mpeg4",
        )
        for i, (path, name, _subset) in enumerate(names)
    )  # fmt: skip
    split = Split.objects.create(dataset=dataset, name="1", origin="official")
    SplitEntry.objects.bulk_create(SplitEntry(split=split, video=v, subset=n[2]) for v, n in zip(videos, names, strict=True))
    job = Job.objects.create(kind=Job.Kind.TRAIN, title="bench", user=user, dataset=dataset, subject_id=1, state=Job.State.DONE)
    config = PRESETS["cpu_spatial"].config.model_dump(mode="json")
    run = Run.objects.create(name="bench", owner=user, dataset=dataset, split=split, config=config, job=job)
    evaluation = Evaluation.objects.create(run=run, subset="test", protocol=Protocol().model_dump(), job=job)
    tested = [video for video, name in zip(videos, names, strict=True) if name[2] == "test"]
    indices = {video.pk: labels[video.path.split("/")[0]].index for video in tested}
    guesses = {pk: index if pk % 4 else (index + pk // 4 % 5 + 1) % len(classes) for pk, index in indices.items()}
    VideoScore.objects.bulk_create(
        VideoScore(
            evaluation=evaluation, video=video, label_index=indices[video.pk], predicted_index=guesses[video.pk],
            is_correct=indices[video.pk] == guesses[video.pk], true_rank=0, true_probability=0.5, top=[[guesses[video.pk], 0.6]],
        )
        for video in tested
    )  # fmt: skip
    evaluation.metrics = metrics_of([(indices[v.pk], guesses[v.pk]) for v in tested], classes)
    evaluation.save()
    draw_embeddings(evaluation.folder, [video.key for video in tested], [indices[video.pk] for video in tested], classes)
    return dataset.pk, evaluation.pk


def draw_embeddings(folder: Path, keys: list[str], labels: list[int], classes: list[str]) -> None:
    """A cloud a class in 16 dimensions, kept as the engine keeps embeddings."""
    import numpy as np

    from ml.config.evaluation import Protocol
    from ml.evaluation.embedding.file import Embeddings
    from ml.evaluation.embedding.report import write_embeddings

    rng, index = np.random.default_rng(0), np.array(labels)
    x = (rng.normal(size=(len(keys), 16)) + rng.normal(size=(len(classes), 16))[index]).astype(np.float32)
    about = {
        "short": "25x10",
        "description": Protocol().describe(),
        "subset": "test",
        "split": "1",
        "space": {"kind": "metric", "is_unit": False},
    }
    folder.mkdir(parents=True)
    write_embeddings(folder, Embeddings(x, index, np.array(keys), np.array(classes), about))


def metrics_of(pairs: list[tuple[int, int]], classes: list[str]) -> dict[str, object]:
    """The metrics JSON of some (true, predicted) pairs."""
    N = len(classes)
    confusion = [[0] * N for _ in range(N)]
    for true, predicted in pairs:
        confusion[true][predicted] += 1
    per_class = []
    for i, name in enumerate(classes):
        support, correct = sum(confusion[i]), confusion[i][i]
        recall = correct / support
        per_class.append(
            {"index": i, "name": name, "support": support, "correct": correct, "recall": recall, "recall_low": max(0, recall - 0.1),
             "recall_high": min(1, recall + 0.1), "precision": recall,
             **dict.fromkeys(("ap", "ap_voc2007", "ap_voc2010"), recall)}
        )  # fmt: skip
    top1 = sum(true == predicted for true, predicted in pairs) / len(pairs)
    protocol = {"short": "25x10", "description": "25 frames × 10 crops, class probabilities averaged", "subset": "test", "split": "1"}
    return {
        "top1": top1, "top5": 1.0, "mean_class_accuracy": top1,
        **dict.fromkeys(("map", "map_voc2007", "map_voc2010", "map_raw", "map_voc2007_raw", "map_voc2010_raw"), top1),
        "num_videos": len(pairs), "num_classes": N,
        "per_class": per_class, "confusion": confusion, "protocol": protocol,
    }  # fmt: skip


def run(data: Path) -> list[Row]:
    """All rows of this file, over a database that is thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KINETOSCOPE_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
        return [*process_rows(), *page_rows(data)]
