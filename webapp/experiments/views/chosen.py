"""What is done to several runs and fusions at once: compared, archived, deleted after a look at what goes with them."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from ml.errors import UserError
from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Fusion, Run
from webapp.experiments.result_links import id_list, ids_in
from webapp.experiments.selectors.access import editable_fusions, editable_runs, visible_fusions, visible_runs
from webapp.experiments.services.deletion import Belongings, belongings, delete
from webapp.experiments.services.runs import set_archived
from webapp.punctuation import listed


@require_POST
def chosen(request: HttpRequest) -> HttpResponse:
    """The buttons under a table: the ticked runs or fusions go where the pressed one says."""
    ids = {name: ids_in(request.POST.getlist(name)) for name in ("runs", "fusions")}
    action = request.POST.get("action", "")
    back = "experiments:fusion_list" if action.endswith("-fusions") else "experiments:run_list"
    if not any(ids.values()):
        messages.error(request, _("Nothing is ticked: tick one row or more first."))
        return redirect(back)
    if not action.startswith("compare") and (seen := _only_seen(request.user, **ids)):
        text = _("You may only look at %(names)s: who may change its dataset archives and deletes.")
        messages.error(request, text % {"names": listed(f"“{one}”" for one in seen)})
        return redirect(back)
    if action == "archive":
        return _archive(request, ids["runs"])
    page = "experiments:compare" if action.startswith("compare") else "experiments:delete"
    query = "&".join(f"{name}={id_list(found)}" for name, found in ids.items() if found)
    return redirect(f"{reverse(page)}?{query}")


def _only_seen(user: AnyUser, runs: list[int], fusions: list[int]) -> list[Run | Fusion]:
    """What of these the user sees and may not change."""
    foreign_runs = visible_runs(user).filter(pk__in=runs).exclude(pk__in=editable_runs(user).order_by().values("pk"))
    foreign_fusions = visible_fusions(user).filter(pk__in=fusions).exclude(pk__in=editable_fusions(user).order_by().values("pk"))
    return [*foreign_runs, *foreign_fusions]


def _archive(request: HttpRequest, ids: list[int]) -> HttpResponse:
    """Into the archive, or out of it when all of them are there."""
    runs = _all_of(editable_runs(request.user), ids)
    is_archived = not all(run.is_archived for run in runs)
    set_archived(runs, is_archived)
    text = (
        ngettext("%d run went into the archive.", "%d runs went into the archive.", len(runs))
        if is_archived
        else ngettext("%d run came out of the archive.", "%d runs came out of the archive.", len(runs))
    )
    messages.success(request, text % len(runs))
    return redirect("experiments:run_list")


@require_http_methods(["GET", "POST"])
def delete_chosen(request: HttpRequest) -> HttpResponse:
    """`?runs=1,2&fusions=3`: what would go with them, and on a POST they go."""
    mine = _asked(request.user, request)
    back = "experiments:run_list" if mine.runs else "experiments:fusion_list"
    if request.method == "GET":
        return render(request, "experiments/delete.html", {"mine": mine, "asked": mine.runs or mine.fusions, "back": reverse(back)})
    try:
        freed = delete(mine)
    except UserError as error:
        messages.error(request, error.sentences)
        return redirect(request.get_full_path())
    messages.success(request, _("Deleted; %(size)s freed.") % {"size": filesizeformat(freed)})
    return redirect(back)


def _asked(user: AnyUser, request: HttpRequest) -> Belongings:
    """What the address names.

    Raises:
        Http404: nothing, or something that is not this user's to delete.
    """
    runs: list[Run] = _all_of(editable_runs(user), ids_in(request.GET.getlist("runs")))
    fusions: list[Fusion] = _all_of(editable_fusions(user), ids_in(request.GET.getlist("fusions")))
    if not runs and not fusions:
        raise Http404
    return belongings(runs, fusions)


def _all_of(rows: Any, ids: list[int]) -> list[Any]:
    """The rows of these ids in their order.

    Raises:
        Http404: one of them is not there, or not this user's to change.
    """
    found = rows.in_bulk(ids)
    if len(found) != len(ids):
        raise Http404
    return [found[pk] for pk in ids]
