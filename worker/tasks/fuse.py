"""Fuse the scores of several streams."""

from __future__ import annotations

from typing import Any

from ml.errors import BadScores
from webapp.experiments.models import Evaluation, Fusion
from webapp.jobs.models import Job
from worker.tasks.results import record_results
from worker.tasks.task import Task


class FuseTask(Task):
    """Subject: the `Evaluation` of a fusion."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.evaluation = Evaluation.objects.select_related("fusion").get(pk=job.subject_id)

    def command(self) -> list[str]:
        fusion = self.evaluation.fusion
        assert fusion is not None  # noqa: S101 - a run's evaluation is an EVALUATE job
        config = fusion.fusion
        members = [member.evaluation for member in fusion.memberships.select_related("evaluation")]
        return [
            "fuse", *(str(member.folder / "scores.npz") for member in members),
            "--method", config.method,
            "--normalize", config.normalize,
            "--svm-c", str(config.svm_c),
            *(["--weights", ",".join(map(str, config.weights))] if config.weights else []),
            *self._fit(fusion, len(members)),
            "--out", str(self.evaluation.folder),
        ]  # fmt: skip

    def _fit(self, fusion: Fusion, num_streams: int) -> list[str]:
        """`--fit` with a file a stream, once for each fold.

        Raises:
            BadScores: a run that the SVM was to be fitted on was deleted.
        """
        config = fusion.fusion
        if config.method != "svm":
            return []
        files = [str(fit.evaluation.folder / "scores.npz") for fit in fusion.fits.select_related("evaluation")]
        if len(files) != num_streams * (config.fold_runs or 1):
            raise BadScores("Scores that the SVM was to be fitted on were deleted", "Fuse the streams anew.")
        return [word for first in range(0, len(files), num_streams) for word in ("--fit", *files[first : first + num_streams])]

    def on_finished(self, summary: dict[str, Any], answer: dict[str, Any] | None) -> None:  # noqa: ARG002 - read from the folder
        record_results(self.evaluation)
