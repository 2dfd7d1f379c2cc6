"""Asking for another split of a dataset."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from ml.errors import UserError
from webapp.datasets.forms.imports import SplitForm
from webapp.datasets.models import Split
from webapp.datasets.selectors import editable_datasets
from webapp.datasets.selectors.imports import some
from webapp.datasets.selectors.summary import num_groups, untested_classes
from webapp.datasets.services.splits import make_split


@require_http_methods(["GET", "POST"])
def split_new(request: HttpRequest, dataset_id: int) -> HttpResponse:
    dataset = get_object_or_404(editable_datasets(request.user), pk=dataset_id)
    form = SplitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            split = make_split(dataset, **form.split)
        except UserError as error:
            form.add_error(None, error.sentences)
        else:
            _tell(request, split)
            return redirect(f"{reverse('datasets:dataset_detail', args=(dataset.pk,))}?split={split.name}")
    ctx = {"dataset": dataset, "form": form, "num_groups": num_groups(dataset)}
    return render(request, "datasets/split_new.html", ctx, status=400 if form.errors else 200)


def _tell(request: HttpRequest, split: Split) -> None:
    messages.success(request, _("Split “%(name)s” is made.") % {"name": split.name})
    if untested := untested_classes(split):
        words = {"n": len(untested), "names": some(untested)}
        text = ngettext(
            "%(n)d class is not tested in it, for no group of it can be spared: %(names)s",
            "%(n)d classes are not tested in it, for no group of them can be spared: %(names)s",
            len(untested),
        )
        messages.warning(request, text % words)
