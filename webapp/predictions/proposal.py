"""Who is chosen to predict before the user chooses, and why."""

from collections.abc import Collection
from typing import NamedTuple

from django.utils.translation import gettext as _

from webapp.datasets.selectors import AnyUser
from webapp.experiments.heads import Head
from webapp.experiments.selectors.access import visible_evaluations
from webapp.experiments.selectors.results import headline
from webapp.jobs.models import Job
from webapp.predictions.selectors import own_predictions
from webapp.shares import in_percent

NEWEST = 100
"""Of so many tests the best is looked for."""


class Proposal(NamedTuple):
    """The key of a model, and in words why it and no other."""

    key: str
    reason: str


def proposal(user: AnyUser, keys: Collection[str]) -> Proposal | None:
    """Of the models with these keys: who was asked last; else who is best on the dataset that was tested last; else the first."""
    last = own_predictions(user).first()
    if last is not None and last.head.key in keys:
        return Proposal(last.head.key, _("Chosen: the one that you asked last."))
    return _best(user, keys) or next((Proposal(key, _("Chosen: the newest; none is tested yet.")) for key in keys), None)


def _best(user: AnyUser, keys: Collection[str]) -> Proposal | None:
    """Only numbers of one dataset can be compared."""
    done = visible_evaluations(user).filter(subset="test", job__state=Job.State.DONE).defer("metrics").annotate(**headline("metrics"))
    newest = done.select_related("run__dataset", "fusion__dataset", "other_split__dataset")[:NEWEST]
    tests = [(head, test) for test in newest if (head := Head(test.source, test.other_split)).key in keys]
    if not tests:
        return None
    dataset = tests[0][0].dataset
    comparable = [(head, test) for head, test in tests if head.dataset == dataset]
    head, best = max(comparable, key=lambda one: one[1].top1)  # type: ignore[attr-defined]
    numbers = {"dataset": dataset, "share": in_percent(best.top1, best.num_videos)}  # type: ignore[attr-defined]
    return Proposal(head.key, _("Chosen: the best on the test videos of %(dataset)s, top-1 %(share)s.") % numbers)
