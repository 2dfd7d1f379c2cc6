"""Reading predictions: they are their owner's alone (and a superuser's)."""

from django.db.models import Q, QuerySet

from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Fusion, Run
from webapp.experiments.selectors import visible_fusions, visible_runs
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction


def visible_predictions(user: AnyUser) -> QuerySet[Prediction]:
    rule = Q() if getattr(user, "is_superuser", False) else Q(user_id=user.pk)
    related = ("upload", "run", "fusion", "job", "confirmed_label")
    return Prediction.objects.filter(rule).select_related(*related).order_by("-id")


def predicting_runs(user: AnyUser) -> QuerySet[Run]:
    """Runs whose training is finished."""
    return visible_runs(user).filter(job__state=Job.State.DONE, is_archived=False)


def predicting_fusions(user: AnyUser) -> QuerySet[Fusion]:
    """Fusions that have been computed, and so know how to weigh their streams."""
    return visible_fusions(user).filter(evaluation__job__state=Job.State.DONE)
