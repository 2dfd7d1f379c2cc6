"""Who else may see a dataset: the owner's business, but for leaving."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from webapp.datasets.forms.datasets import MemberForm
from webapp.datasets.selectors import owned_datasets, removable_memberships
from webapp.datasets.services.datasets import share_dataset, unshare_dataset
from webapp.requests import told


@require_POST
def member_add(request: HttpRequest, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(owned_datasets(request.user), pk=dataset_id)
    form = MemberForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give a user name and a role."))
        return redirect("datasets:dataset_detail", dataset.pk)
    with told(request):
        membership = share_dataset(dataset, form.cleaned_data["username"], form.cleaned_data["role"])
        words = {"user": membership.user, "role": membership.get_role_display()}
        messages.success(request, _("%(user)s %(role)s.") % words)
    return redirect("datasets:dataset_detail", dataset.pk)


@require_POST
def member_remove(request: HttpRequest, dataset_id: int, membership_id: int) -> HttpResponse:
    """The owner takes it back, or the member leaves."""
    membership = get_object_or_404(removable_memberships(request.user).filter(dataset=dataset_id), pk=membership_id)
    unshare_dataset(membership)
    if membership.user_id != request.user.pk:
        return redirect("datasets:dataset_detail", dataset_id)
    messages.success(request, _("“%(dataset)s” is not shared with you any more.") % {"dataset": membership.dataset})
    return redirect("datasets:dataset_list")
