"""What the frame around every page shows."""

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Place(NamedTuple):
    """An entry of the left navigation."""

    title: Promise
    url_name: str
    icon: str


NAVIGATION = (
    Place(_("Home"), "home", "home"),
    Place(_("Datasets"), "datasets:dataset_list", "dataset"),
    Place(_("Experiments"), "experiments:run_list", "experiment"),
    Place(_("Jobs"), "jobs:job_list", "job"),
    Place(_("Predict"), "predictions:prediction_list", "predict"),
    Place(_("System"), "jobs:system", "system"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """The navigation with the current place marked: the entry whose address is the longest prefix of the page's."""
    entries = [(place, reverse(place.url_name)) for place in NAVIGATION]
    current = max((url for _place, url in entries if request.path.startswith(url)), key=len, default="")
    return {"navigation": [{"title": p.title, "url": url, "icon": p.icon, "is_current": url == current} for p, url in entries]}
