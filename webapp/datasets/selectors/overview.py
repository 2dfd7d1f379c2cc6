"""The list of datasets: what each holds, in a fixed number of queries."""

from __future__ import annotations

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from webapp.datasets.models import Dataset, FlowCache, Import, Label, Split, Video
from webapp.datasets.selectors import AnyUser, own_imports, visible_datasets
from webapp.jobs.models import Job


def _count(rows: QuerySet[Label] | QuerySet[Split] | QuerySet[Video] | QuerySet[FlowCache]) -> Coalesce:
    """How many of `rows` belong to the dataset of the outer query, as a subquery: joins would multiply each other."""
    of_dataset = rows.filter(dataset=OuterRef("pk")).order_by().values("dataset").annotate(total=Count("pk"))
    return Coalesce(Subquery(of_dataset.values("total"), output_field=IntegerField()), 0)


def datasets_with_counts(user: AnyUser) -> QuerySet[Dataset]:
    """Visible datasets with `num_videos`, `num_refused`, `num_labels`, `poster_video`, splits and members at hand."""
    usable = Video.objects.filter(status=Video.Status.OK)
    first_usable = usable.filter(dataset=OuterRef("pk")).order_by("pk").values("pk")[:1]
    return (
        visible_datasets(user)
        .annotate(
            num_videos=_count(usable),
            num_refused=_count(Video.objects.filter(status=Video.Status.REFUSED)),
            num_labels=_count(Label.objects.all()),
            num_flow_caches=_count(FlowCache.objects.all()),
            poster_video=Subquery(first_usable),
        )
        .select_related("owner")
        .prefetch_related("splits", "members")
    )


def open_import_jobs(user: AnyUser) -> QuerySet[Job]:
    """The user's imports that are being looked at or read in; `subject_id` is the import."""
    kinds = (Job.Kind.INSPECT, Job.Kind.INGEST)
    return Job.objects.filter(user_id=user.pk or 0, kind__in=kinds, state__in=Job.OPEN, subject_id__in=own_imports(user).values("pk"))


def imports_to_confirm(user: AnyUser) -> QuerySet[Import]:
    """Imports whose preview waits for the user."""
    return own_imports(user).filter(dataset=None).exclude(preview={}).prefetch_related("uploads")
