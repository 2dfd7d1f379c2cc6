"""What the frame around every page shows."""

from typing import NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Place(NamedTuple):
    """An entry of the left navigation; `also` is where more of its pages begin."""

    title: Promise
    url_name: str
    icon: str
    also: str = ""

    @property
    def url(self) -> str:
        return reverse(self.url_name)


HOME = Place(_("Home"), "home", "home")
NAVIGATION = (
    HOME,
    Place(_("Datasets"), "datasets:dataset_list", "dataset"),
    Place(_("Experiments"), "experiments:run_list", "experiment"),
    Place(_("Jobs"), "jobs:job_list", "job"),
    Place(_("Predict"), "predictions:prediction_list", "predict"),
    Place(_("System"), "jobs:system", "system", also="/accounts/"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """The places, and the one that the page belongs to."""
    return {"navigation": NAVIGATION, "current_place": _place_of(request.path)}


def _place_of(path: str) -> Place | None:
    """The place whose pages begin with the longest part of the path; home is one page, none is a page of no place."""
    if path == HOME.url:
        return HOME
    starts = {start: place for place in NAVIGATION[1:] for start in (place.url, place.also) if start}
    return starts.get(max((start for start in starts if path.startswith(start)), key=len, default=""))
