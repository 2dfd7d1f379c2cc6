"""`results.json` of an evaluation or a fusion, as rows."""

from __future__ import annotations

import json
from typing import Any

from webapp.datasets.models import Video
from webapp.experiments.models import Evaluation, VideoScore

BATCH = 1000


def record_results(evaluation: Evaluation) -> None:
    """Metrics into the evaluation, one `VideoScore` a video; what was there before is replaced."""
    results = json.loads((evaluation.folder / "results.json").read_text(encoding="utf-8"))
    videos = dict(Video.objects.filter(dataset_id=evaluation.split.dataset_id).values_list("key", "pk"))
    evaluation.video_scores.all().delete()
    scores = (_score(evaluation, videos[found["video"]], found) for found in results["videos"] if found["video"] in videos)
    VideoScore.objects.bulk_create(scores, batch_size=BATCH)
    Evaluation.objects.filter(pk=evaluation.pk).update(metrics=results["metrics"])


def _score(evaluation: Evaluation, video_id: int, found: dict[str, Any]) -> VideoScore:
    return VideoScore(
        evaluation=evaluation,
        video_id=video_id,
        label_index=found["label"],
        predicted_index=found["predicted"],
        is_correct=found["label"] == found["predicted"],
        true_rank=found["true_rank"],
        true_probability=found["true_probability"],
        top=found["top"],
    )
