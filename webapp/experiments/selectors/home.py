"""What the home page shows of experiments: the newest results, each with its protocol."""

from django.db.models import QuerySet

from webapp.datasets.selectors import AnyUser
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.selectors.access import visible_evaluations, visible_runs
from webapp.experiments.selectors.results import headline
from webapp.experiments.selectors.run_list import with_test_result
from webapp.jobs.models import Job


def latest_runs(user: AnyUser, count: int) -> QuerySet[Run]:
    """The newest runs that are not archived, with their test result."""
    return with_test_result(visible_runs(user).filter(is_archived=False))[:count]


def latest_fusion_results(user: AnyUser, count: int) -> QuerySet[Evaluation]:
    """The newest finished evaluations of fusions, with `top1` (0…1) and `described`; the large metrics stay in the database."""
    done = visible_evaluations(user).filter(fusion__isnull=False, job__state=Job.State.DONE)
    return done.select_related("fusion__dataset", "fusion__split", "job").defer("metrics").annotate(**headline("metrics"))[:count]
