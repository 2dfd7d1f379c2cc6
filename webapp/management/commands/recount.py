"""`manage.py recount`: the metrics of finished evaluations again, from their stored scores."""

import json
import os
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from webapp.experiments.models import Evaluation
from webapp.metrics import TITLES


class Command(BaseCommand):
    help = "Count the metrics of evaluations again from their stored scores, where an earlier version knew fewer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those that lack none")

    def handle(self, *args: object, **options: Any) -> None:
        finished = Evaluation.objects.exclude(metrics={})
        lacking = finished if options["all"] else finished.exclude(metrics__has_keys=list(TITLES))
        for evaluation in lacking.defer("metrics").order_by("pk"):
            self._recount(evaluation)
        self.stdout.write("All evaluations are counted.")

    def _recount(self, evaluation: Evaluation) -> None:
        """What it said before stays where the scores are gone or damaged, and that is said."""
        scores = evaluation.folder / "scores.npz"
        command = [sys.executable, "-m", "ml", "metrics", str(scores), "--json"]
        environment = {**os.environ, "KINETOSCOPE_DIE_WITH_PARENT": "1"}
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            self.stderr.write(f"{evaluation}: left as it is. {done.stdout.strip() or done.stderr.strip()}")
            return
        Evaluation.objects.filter(pk=evaluation.pk).update(metrics=json.loads(done.stdout))
        self.stdout.write(f"{evaluation}: counted")
