"""The queue, one job with its log, and the System page."""

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from webapp import queue as broker
from webapp.jobs import selectors, services, storage
from webapp.jobs.forms import JobFilter
from webapp.jobs.links import subject_link
from webapp.jobs.models import Job, WorkerNode
from webapp.requests import Request

PAGE_SIZE = 50


@require_GET
def job_list(request: Request) -> HttpResponse:
    """The queue and what became of it; the table asks for itself again while anything is open."""
    form = JobFilter(request.GET)
    jobs = selectors.listed_jobs(request.user, **form.chosen())
    page = Paginator(jobs, PAGE_SIZE).get_page(request.GET.get("page"))
    ctx = {
        "form": form,
        "page": page,
        "rows": selectors.job_rows(page, request.user),
        "is_live": any(job.is_open for job in page),
        "broker_is_up": broker.broker_is_up(),
    }
    return render(request, "jobs/_job_table.html" if _is_poll(request) else "jobs/job_list.html", ctx)


@require_GET
def job_detail(request: Request, job_id: int) -> HttpResponse:
    """Where one job stands, why it failed, and the end of its log."""
    job = get_object_or_404(selectors.visible_jobs(request.user), pk=job_id)
    (row,) = selectors.job_rows([job], request.user)
    ctx = {
        "job": job,
        "row": row,
        "subject": subject_link(job),
        "before": job.after.all(),
        "followers": job.followers.all(),
        "log": selectors.log_tail(job),
        "stderr": selectors.log_tail(job, "stderr.txt", lines=60),
    }
    return render(request, "jobs/_job_live.html" if _is_poll(request) else "jobs/job_detail.html", ctx)


@require_POST
def job_stop(request: HttpRequest, job_id: int) -> HttpResponse:
    """Save and end."""
    return _change(request, job_id, services.request_stop)


@require_POST
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Give up."""
    return _change(request, job_id, services.cancel)


@require_POST
def job_restart(request: HttpRequest, job_id: int) -> HttpResponse:
    """Retry or resume."""
    return _change(request, job_id, services.restart)


@require_POST
def job_acknowledge(request: HttpRequest, job_id: int) -> HttpResponse:
    """Seen: no longer a reminder on the home page."""
    return _change(request, job_id, services.acknowledge)


@require_POST
def jobs_acknowledge(request: HttpRequest) -> HttpResponse:
    """All of the home page's failures were seen."""
    services.acknowledge_all(selectors.unseen_failures(request.user))
    return redirect("home")


def _change(request: HttpRequest, job_id: int, act: Callable[[Job], None]) -> HttpResponse:
    job = get_object_or_404(selectors.changeable_jobs(request.user), pk=job_id)
    try:
        act(job)
    except services.JobMoved as error:
        messages.warning(request, error.sentences)
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("jobs:job_detail", job_id=job.pk)


@require_GET
def system(request: Request) -> HttpResponse:
    """Workers, queues, broker, versions and what the data folder holds."""
    ctx = {
        "workers": WorkerNode.objects.all(),
        "queues": selectors.queue_states(),
        "broker_is_up": broker.broker_is_up(),
        "versions": storage.versions(),
        "disk": storage.disk(),
        "folders": storage.folders(),
    }
    return render(request, "system/_system_live.html" if _is_poll(request) else "system/system.html", ctx)


def _is_poll(request: Request) -> bool:
    return bool(request.htmx)
