"""Say anew where the videos of an evaluation lie, and draw the map by UMAP that was asked for."""

from __future__ import annotations

from ml.config.embedding import UmapConfig
from webapp.experiments.models import Evaluation
from webapp.jobs.models import Job
from worker.tasks.task import Task


class EmbedTask(Task):
    """Subject: an `Evaluation` whose embeddings were kept. What comes of it is the file that its page reads."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.evaluation = Evaluation.objects.get(pk=job.subject_id)

    def command(self) -> list[str]:
        folder, config = self.evaluation.folder, UmapConfig.model_validate(self.evaluation.umap)
        return [
            "embed", str(folder / "embeddings.npz"),
            "--umap",
            "--neighbors", str(config.neighbors),
            "--seed", str(config.seed),
            "--out", str(folder / "embedding.json"),
        ]  # fmt: skip
