"""Small rows for tests, built in one go: no files, no jobs sent."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.models import User

from ml.config.data import FlowInput, FrameSpec, RGBInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.words import packed
from webapp.datasets.models import Dataset, Label, Membership, Split, SplitEntry, Upload, Video
from webapp.experiments.models import Evaluation, Fusion, FusionMember, Run, VideoScore
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction

CLASSES = ("clap", "jump", "wave")
INPUTS = {"rgb": RGBInput(), "flow": FlowInput(stack_len=5)}

Guess = Callable[[int, int], int]
"""(true class index, position of the video within its class) → predicted class index."""


def make_user(name: str = "ada", **fields: Any) -> User:
    return User.objects.create_user(name, password="long enough 1", **fields)


def make_dataset(owner: User, classes: Sequence[str] = CLASSES, videos_per_class: int = 4, name: str = "gestures") -> Dataset:
    """Every second video is for testing; groups are shared by neighbours; split `1`."""
    dataset = Dataset.objects.create(name=name, owner=owner, layout="folder_per_class", frame_spec=FrameSpec().model_dump(mode="json"))
    labels = Label.objects.bulk_create(Label(dataset=dataset, index=i, name=c) for i, c in enumerate(classes))
    owned = [(label, label.index * videos_per_class + k) for label in labels for k in range(videos_per_class)]
    videos = Video.objects.bulk_create(_video(dataset, label, number) for label, number in owned)
    split = Split.objects.create(dataset=dataset, name="1", origin="generated")
    SplitEntry.objects.bulk_create(
        SplitEntry(split=split, video=video, subset="test" if number % 2 else "train") for number, video in enumerate(videos)
    )
    return dataset


def _video(dataset: Dataset, label: Label, number: int) -> Video:
    return Video(
        dataset=dataset, key=f"v{number:05d}", path=f"{label.name}/v{number:05d}.mp4", media=f"{dataset.pk:032x}{number:032x}", label=label,
        group=f"g{number // 2:04d}", frames=30, fps=25.0, width=96, height=72, duration_seconds=1.2, size_bytes=12_345, codec="h264",
    )  # fmt: skip


def share(dataset: Dataset, user: User, role: str = Membership.Role.VIEWER) -> Membership:
    return Membership.objects.create(dataset=dataset, user=user, role=role)


def make_job(kind: str, user: User, dataset: Dataset | None = None, state: str = Job.State.DONE, **fields: Any) -> Job:
    return Job.objects.create(kind=kind, title=f"{kind} job", user=user, dataset=dataset, state=state, subject_id=0, **fields)


def make_run(dataset: Dataset, modality: str = "rgb", name: str = "", state: str = Job.State.DONE, **data: Any) -> Run:
    """A run on split `1`; `data` changes fields of its DataConfig."""
    config = ExperimentConfig()
    config = config.replace(data=config.data.replace(input=INPUTS[modality], **data))
    job = make_job(Job.Kind.TRAIN, dataset.owner, dataset, state)
    run = Run.objects.create(
        name=name or f"{modality} run", owner=dataset.owner, dataset=dataset, split=dataset.splits.get(name="1"),
        config=config.model_dump(mode="json"), job=job,
    )  # fmt: skip
    Job.objects.filter(pk=job.pk).update(subject_id=run.pk)
    return run


def right(label: int, _position: int) -> int:
    """Predicts the true class."""
    return label


def make_evaluation(
    source: Run | Fusion, guess: Guess = right, subset: str = "test", state: str = Job.State.DONE, other_split: Split | None = None
) -> Evaluation:
    """An evaluation of all videos of the subset, with the rows and the metrics that follow from the guesses when it is done."""
    protocol = Protocol(frames=5, crops=1)
    owner = {"run": source} if isinstance(source, Run) else {"fusion": source}
    kind = Job.Kind.EVALUATE if isinstance(source, Run) else Job.Kind.FUSE
    evaluation = Evaluation.objects.create(
        subset=subset, protocol=protocol.model_dump(mode="json"), job=make_job(kind, source.owner, source.dataset, state),
        other_split=other_split, **owner,
    )  # fmt: skip
    Job.objects.filter(pk=evaluation.job_id).update(subject_id=evaluation.pk)
    if state == Job.State.DONE:
        scores = score_videos(evaluation, guess)
        classes = list(evaluation.dataset.labels.values_list("name", flat=True))
        evaluation.metrics = metrics_of(scores, classes, protocol, subset, evaluation.split.name)
        evaluation.save(update_fields=["metrics"])
    return evaluation


def score_videos(evaluation: Evaluation, guess: Guess) -> list[VideoScore]:
    """One row per video of the subset; the predicted class has probability 0.8, the next one 0.1."""
    videos = Video.objects.filter(split_entries__split=evaluation.split, split_entries__subset=evaluation.subset).select_related("label")
    num_classes = evaluation.dataset.labels.count()
    positions: dict[int, int] = {}
    rows = []
    for video in videos.order_by("pk"):
        assert video.label is not None
        label = video.label.index
        position = positions.get(label, 0)
        positions[label] = position + 1
        rows.append(_score(evaluation, video, label, guess(label, position) % num_classes, num_classes))
    return VideoScore.objects.bulk_create(rows)


def _score(evaluation: Evaluation, video: Video, label: int, predicted: int, num_classes: int) -> VideoScore:
    probabilities = (0.8, 0.1, 0.05, 0.03, 0.02)
    ranking = [(predicted + step) % num_classes for step in range(num_classes)]
    rank = ranking.index(label)
    return VideoScore(
        evaluation=evaluation, video=video, label_index=label, predicted_index=predicted, is_correct=label == predicted, true_rank=rank,
        true_probability=probabilities[rank] if rank < 5 else 0.0, top=[list(pair) for pair in zip(ranking, probabilities, strict=False)],
    )  # fmt: skip


def metrics_of(scores: Sequence[VideoScore], classes: Sequence[str], protocol: Protocol, subset: str, split: str) -> dict[str, Any]:
    """The metrics of the rows in the shape of `ml.evaluation.metrics`; recall ± 0.1 stands in for the Wilson interval, recall for AP."""
    N = len(classes)
    confusion = [[0] * N for _ in range(N)]
    for score in scores:
        confusion[score.label_index][score.predicted_index] += 1
    per_class = [_class_metrics(i, name, confusion) for i, name in enumerate(classes)]
    recalls = [row["recall"] for row in per_class if row["recall"] is not None]
    mean_recall = sum(recalls) / len(recalls)
    return {
        "top1": sum(score.is_correct for score in scores) / len(scores),
        "top5": sum(score.true_rank < 5 for score in scores) / len(scores),
        "mean_class_accuracy": mean_recall,
        **dict.fromkeys(("map", "map_voc2007", "map_voc2010", "map_raw", "map_voc2007_raw", "map_voc2010_raw"), mean_recall),
        "num_videos": len(scores),
        "num_classes": N,
        "per_class": per_class,
        "confusion": confusion,
        "protocol": {"short": protocol.short(), "description": packed(protocol.describe()), "subset": subset, "split": split},
    }


def _class_metrics(index: int, name: str, confusion: list[list[int]]) -> dict[str, Any]:
    support, correct, guessed = sum(confusion[index]), confusion[index][index], sum(row[index] for row in confusion)
    recall = correct / support if support else None
    return {
        "index": index, "name": name, "support": support, "correct": correct, "recall": recall,
        **dict.fromkeys(("ap", "ap_voc2007", "ap_voc2010"), recall),
        "recall_low": None if recall is None else max(0.0, recall - 0.1), "recall_high": None if recall is None else min(1.0, recall + 0.1),
        "precision": correct / guessed if guessed else None,
    }  # fmt: skip


def make_fusion(
    members: Sequence[Evaluation], guess: Guess = right, state: str = Job.State.DONE, config: FusionConfig | None = None
) -> Fusion:
    """A fusion of evaluations, with its own evaluation."""
    first, method = members[0], (config or FusionConfig()).model_dump(mode="json")
    fusion = Fusion.objects.create(
        name="fused", owner=first.source.owner, dataset=first.dataset, split=first.split, config=method, subset=first.subset
    )
    FusionMember.objects.bulk_create(FusionMember(fusion=fusion, evaluation=e, position=i) for i, e in enumerate(members))
    make_evaluation(fusion, guess, fusion.subset, state)
    return fusion


def make_upload(user: User, name: str = "clip.mp4", content: bytes = b"not really a video") -> Upload:
    upload = Upload.objects.create(user=user, name=name, size=len(content), received=len(content))
    upload.path.parent.mkdir(parents=True, exist_ok=True)
    upload.path.write_bytes(content)
    return upload


def make_prediction(user: User, source: Run | Fusion, state: str = Job.State.DONE, **fields: Any) -> Prediction:
    """A prediction for the source's first two classes."""
    owner = {"run": source} if isinstance(source, Run) else {"fusion": source}
    top = [[label.name, p] for label, p in zip(source.dataset.labels.all(), (0.75, 0.2, 0.05), strict=False)]
    video = {"frames": 30, "fps": 25.0, "width": 96, "height": 72, "duration_seconds": 1.2, "codec": "h264", "notes": []}
    streams = [{"name": "rgb run", "modality": "rgb", "top": top}]
    done = {"top": top, "streams": streams, "protocol": "5 frames × 1 crop", "video": video, "seconds": {"reading": 0.1, "total": 0.4}}
    fields.setdefault("result", done if state == Job.State.DONE else {})
    job = make_job(Job.Kind.PREDICT, user, None, state, queue="predict")
    prediction = Prediction.objects.create(user=user, upload=make_upload(user), job=job, **owner, **fields)
    Job.objects.filter(pk=job.pk).update(subject_id=prediction.pk)
    return prediction


def posted(response: Any, *names: str) -> dict[str, str]:
    """What a browser would send back of the forms on a page."""
    data: dict[str, str] = {}
    for form in (response.context[name] for name in names):
        for bound in form:
            value = bound.field.prepare_value(bound.initial)
            if value is not None and (bound.widget_type != "checkbox" or value):
                data[bound.html_name] = str(value)
    return data
