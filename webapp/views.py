"""Home, and the pages for what isn't there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from webapp.datasets.selectors import editable_datasets
from webapp.datasets.selectors.overview import imports_to_confirm
from webapp.experiments.selectors.home import latest_fusion_results, latest_runs, latest_studies, showpiece
from webapp.jobs import storage
from webapp.jobs.models import Job
from webapp.jobs.selectors import unseen_failures, visible_jobs, worker_was_heard


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What runs now, what failed, what came out last; the first steps for an empty install."""
    jobs, fusions = visible_jobs(request.user).filter(parent=None), list(latest_fusion_results(request.user, 3))
    ctx = {
        "open_jobs": jobs.filter(state__in=Job.OPEN).order_by("id")[:8],
        "failed_jobs": unseen_failures(request.user),
        "waiting_imports": imports_to_confirm(request.user),
        "datasets": editable_datasets(request.user)[:1],
        "runs": latest_runs(request.user, 6),
        "studies": latest_studies(request.user, 3),
        "fusion_results": fusions,
        "showpiece": showpiece(fusions[0]) if fusions else None,
        "has_worker": worker_was_heard(),
        "disk": storage.disk(),
    }
    return render(request, "_home_live.html" if request.htmx else "home.html", ctx)  # type: ignore[attr-defined]


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it
    """Also for what exists but isn't this user's to see."""
    ctx = {"heading": _("Not found"), "text": _("There is no such page, or it is not yours to see or to change.")}
    return render(request, "message_page.html", ctx, status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes it
    """What only admins may do."""
    ctx = {"heading": _("Not allowed"), "text": _("Only an admin of this site may do that. Ask one.")}
    return render(request, "message_page.html", ctx, status=403)


def forbidden_form(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """A form whose token is not the session's any more."""
    text = _(
        "You logged in or out elsewhere meanwhile, or the browser refuses cookies. Go back, load the page again, and send it once more."
    )
    return render(request, "message_page.html", {"heading": _("The form is out of date"), "text": text}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django passes both
    """What no page of ours sends: a host that is not allowed, more fields than a form may have."""
    text = _("The server does not take it: it came under an address that is not allowed, or holds more than a form may.")
    return _bare_page(_("This request can't be read"), text, 400)


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django passes it
    """A bug of ours: the log has the traceback."""
    text = _("This is our fault, not yours. The server's log says what happened; nothing you saved is lost.")
    return _bare_page(_("Something broke"), text, 500)


def _bare_page(heading: str, text: str, status: int) -> HttpResponse:
    """Without the frame, which asks for the user: the database may be what broke, and a request may be refused before there is one."""
    return HttpResponse(render_to_string("message_page.html", {"heading": heading, "text": text}), status=status)
