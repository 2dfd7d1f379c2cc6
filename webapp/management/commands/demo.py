"""`manage.py demo`: the main job end to end, through the same services as the site's pages.

Draws the demo dataset, imports it, extracts flow, trains both streams, evaluates and fuses them. A second time it finds what is there.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from ml.config.data import FrameSpec
from ml.config.evaluation import FusionConfig
from ml.config.presets import PRESETS
from webapp.datasets.models import Dataset, Import
from webapp.datasets.services.imports import confirm_import, latest_job, start_import
from webapp.experiments.models import Fusion
from webapp.experiments.services.fusions import launch_two_stream
from webapp.jobs.models import Job
from webapp.jobs.services import restart
from webapp.templatetags.kinetoscope import duration, percent
from webapp.words import translated

NAME = "Shapes in motion"
DESCRIPTION = (
    "Nine classes drawn for this demo: three appearances × three motions. "
    "A single frame tells the appearance, optical flow the motion; only both tell the class."
)


FUSION = FusionConfig(normalize="none")
"""Each stream rules out what it cannot be, and is unsure of the rest: logarithms of probabilities add up to what neither rules out."""


class Command(BaseCommand):
    help = "Run the main job on a drawn dataset: import, flow, two streams, fusion."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", default="http://127.0.0.1:8000", help="address of the running site, for the last line")

    def handle(self, *args: object, url: str, **options: object) -> None:
        start = time.monotonic()
        self.url = url
        user = User.objects.filter(is_superuser=True).order_by("pk").first()
        if user is None:
            raise CommandError("There is no admin yet; run manage.py ensure_admin first.")
        dataset = self._dataset(user)
        fusion = self._fusion(user, dataset)
        self._report(fusion)
        self.stdout.write(
            f"The demo took {duration(time.monotonic() - start)}. Results: {self._page('experiments:fusion_detail', fusion.pk)}"
        )
        self.stdout.write(f"READY {url}")

    def _page(self, name: str, key: int) -> str:
        return f"{self.url}{reverse(name, args=[key])}"

    def _dataset(self, user: User) -> Dataset:
        """The demo dataset, imported from the folder it is drawn in."""
        drawn = self._drawn()
        import_ = Import.objects.filter(folder__endswith=f"/{drawn.name}").order_by("pk").first() or start_import(user, [], drawn)
        self._wait(filter(None, [latest_job(import_)]))
        import_.refresh_from_db()
        if import_.dataset is None:
            spec = FrameSpec(short_side=96)
            confirm_import(import_, name=NAME, description=DESCRIPTION, frame_spec=spec, split={"test_fraction": 1 / 3, "seed": 0})
            self._wait(filter(None, [latest_job(import_)]))
            import_.refresh_from_db()
        dataset = import_.dataset
        if dataset is None:
            raise CommandError(f"The import ended without a dataset. See {self._page('datasets:import_detail', import_.pk)}")
        return dataset

    def _drawn(self) -> Path:
        """The folder of drawn videos, inside the first import root."""
        folder: Path = settings.IMPORT_ROOTS[0] / "shapes_in_motion"
        if not folder.is_dir():
            temporary = folder.with_suffix(".drawing")
            self.stdout.write("Drawing the demo dataset …")
            command = [sys.executable, "-m", "ml", "draw", "--out", str(temporary)]
            environment = {**os.environ, "KINETOSCOPE_DIE_WITH_PARENT": "1"}
            subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True, stdout=subprocess.DEVNULL)
            temporary.rename(folder)
        return folder

    def _fusion(self, user: User, dataset: Dataset) -> Fusion:
        """Both streams and their average, trained unless they are there."""
        fusion = dataset.fusions.filter(name=NAME).order_by("pk").first()
        if fusion is None:
            spatial, temporal = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config
            fusion = launch_two_stream(user, dataset, dataset.splits.get(), spatial, temporal, FUSION, NAME)
        self._wait(with_predecessors(fusion.evaluation.job))
        return fusion

    def _wait(self, jobs: Iterable[Job]) -> None:
        """Until all are done, telling what runs; what an earlier demo left stopped or failed is started again.

        Raises:
            CommandError: a job failed; its card says why.
        """
        ids = [job.pk for job in jobs]
        for job in Job.objects.filter(pk__in=ids, state__in=(Job.State.FAILED, Job.State.STOPPED, Job.State.CANCELLED)).order_by("pk"):
            job.refresh_from_db()
            if job.is_restartable and job.failure.get("code") != "Dependency":
                restart(job)
        told = ""
        while unfinished := list(Job.objects.filter(pk__in=ids).exclude(state=Job.State.DONE).order_by("pk")):
            failed = next((job for job in unfinished if job.state in (Job.State.FAILED, Job.State.CANCELLED, Job.State.STOPPED)), None)
            if failed is not None:
                card = (failed.failure.get(part, "") for part in ("message", "advice"))
                words = " ".join(filter(None, (*card, f"See {self._page('jobs:job_detail', failed.pk)}")))
                raise CommandError(f"{failed} {failed.get_state_display().lower()}. {words}")
            told = self._tell(unfinished, len(ids), told)
            time.sleep(1)
        if told and self.stdout.isatty():
            self.stdout.write("")

    def _tell(self, unfinished: list[Job], total: int, told: str) -> str:
        """One line on what runs: rewritten in place on a terminal, else printed when a twentieth is gained."""
        job = next((job for job in unfinished if job.state == Job.State.RUNNING), unfinished[0])
        left = f", {duration(job.eta)} left" if job.eta is not None else ""
        amount = (
            f" {job.progress_done}/{job.progress_total} {job.progress_unit}{left}"
            if job.progress_total
            else f" {job.get_state_display().lower()}"
        )
        line = f"[{total - len(unfinished) + 1}/{total}] {job}{amount}"
        if self.stdout.isatty():
            self.stdout.write(f"\r\033[K{line[:118]}", ending="")
            self.stdout.flush()
            return line
        mark = f"{job.pk} {job.state} {int(20 * job.fraction)}"
        if mark != told:
            self.stdout.write(line)
        return mark

    def _report(self, fusion: Fusion) -> None:
        """The result in three lines, each with its protocol."""
        members = [member.evaluation for member in fusion.memberships.select_related("evaluation__run")]
        for evaluation in [*members, fusion.evaluation]:
            evaluation.refresh_from_db()
            metrics = evaluation.metrics
            name = evaluation.run.modality if evaluation.run else "fusion"
            protocol = translated(metrics["protocol"]["description"])
            self.stdout.write(f"{name:>8}: top-1 {percent(metrics['top1'])} ({protocol}, {metrics['num_videos']} test videos)")


def with_predecessors(job: Job) -> list[Job]:
    """The job and all that it waits for, each once, first things first."""
    return list(dict.fromkeys([*(one for before in job.after.order_by("pk") for one in with_predecessors(before)), job]))
