"""Where a job stands, in words: what a waiting one waits for in the end, and what a running one was asked to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from webapp.jobs.models import Job

AHEAD = "after__after__after"
"""What lists prefetch for their jobs: a fusion waits for tests, these for trainings, and these for flow."""

WAITING_FOR: dict[str, Promise] = {
    Job.Kind.FLOW: _("Waiting for optical flow"),
    Job.Kind.TRAIN: _("Waiting for training"),
    Job.Kind.EVALUATE: _("Waiting for scores"),
}
RESUME = _("Waiting for “Resume”")
CANCELLING = _("Cancelling")
STOPPING = _("Stopping")


def ahead(job: Job) -> list[Job]:
    """The jobs that have to move before a waiting one can: those at the beginning of all that it waits for. Its own parts are itself."""
    if job.state != Job.State.WAITING:
        return []
    before = [other for other in job.after.all() if other.state != Job.State.DONE and other.parent_id != job.pk]
    return sorted({first for other in before for first in (ahead(other) or [other])}, key=lambda first: first.pk)


def needs_resume(job: Job) -> bool:
    """Whether it waits until somebody goes on with what was stopped."""
    return any(first.state == Job.State.STOPPED for first in ahead(job))


def state_words(job: Job) -> str | Promise:
    """The shown state, as exactly as it is known."""
    if job.state == Job.State.RUNNING and (job.cancel_requested or job.stop_requested):
        return CANCELLING if job.cancel_requested else STOPPING
    if needs_resume(job):
        return RESUME
    kinds = {first.kind for first in ahead(job)}
    return WAITING_FOR.get(kinds.pop(), job.shown_state.label) if len(kinds) == 1 else job.shown_state.label
