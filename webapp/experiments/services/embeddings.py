"""Asking for the map that no evaluation draws by itself."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.config.embedding import UmapConfig
from ml.errors import UserError
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.embeddings import map_job
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit


class MapBusy(UserError):
    """A map of the same videos that is on its way."""


@transaction.atomic
def request_map(evaluation: Evaluation, config: UmapConfig, user: User) -> Job:
    """The job that draws it.

    Raises:
        MapBusy: an earlier one is not over.
    """
    Evaluation.objects.select_for_update().get(pk=evaluation.pk)
    earlier = map_job(evaluation)
    if earlier is not None and earlier.is_open:
        raise MapBusy(_("A map of these videos is on its way."), _("Wait until it is there, or cancel its job."))
    evaluation.umap = config.model_dump(mode="json")
    evaluation.save(update_fields=["umap"])
    job = open_job(Job.Kind.EMBED, f"{evaluation.source} · UMAP", user, evaluation.source.dataset)
    submit(job, evaluation.pk)
    return job
