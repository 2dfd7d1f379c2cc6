"""What happens to a run after it was launched: notes, the archive."""

from collections.abc import Iterable

from webapp.experiments.models import Run


def write_notes(run: Run, notes: str) -> None:
    run.notes = notes
    run.save(update_fields=["notes"])


def set_archived(runs: Iterable[Run], is_archived: bool) -> None:
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(is_archived=is_archived)
