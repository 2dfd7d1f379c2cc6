"""Reading datasets. Every object reaches a view through here, filtered by who asks."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Q, QuerySet

from webapp.datasets.models import Dataset, FlowCache, Import, Membership, Upload, Video

AnyUser = User | AnonymousUser | AbstractBaseUser


def dataset_is_visible(user: AnyUser, prefix: str = "") -> Q:
    """The one rule of who may see: the owner, a member, a superuser. `prefix` leads from a row to its dataset, e.g. `dataset__`."""
    if getattr(user, "is_superuser", False):
        return Q()
    if not user.is_authenticated:
        return Q(pk__in=())
    shared = Membership.objects.filter(user_id=user.pk).values("dataset_id")
    return Q(**{f"{prefix}owner_id": user.pk}) | Q(**{f"{prefix}pk__in": shared})


def dataset_is_editable(user: AnyUser, prefix: str = "") -> Q:
    """Who may change a dataset and train on it: the owner, an editor, a superuser."""
    if getattr(user, "is_superuser", False):
        return Q()
    if not user.is_authenticated:
        return Q(pk__in=())
    shared = Membership.objects.filter(user_id=user.pk, role=Membership.Role.EDITOR).values("dataset_id")
    return Q(**{f"{prefix}owner_id": user.pk}) | Q(**{f"{prefix}pk__in": shared})


def dataset_is_owned(user: AnyUser, prefix: str = "") -> Q:
    """Who may share and delete a dataset: the owner, a superuser."""
    if getattr(user, "is_superuser", False):
        return Q()
    return Q(**{f"{prefix}owner_id": user.pk}) if user.is_authenticated else Q(pk__in=())


def visible_datasets(user: AnyUser) -> QuerySet[Dataset]:
    return Dataset.objects.filter(dataset_is_visible(user)).order_by("-id")


def editable_datasets(user: AnyUser) -> QuerySet[Dataset]:
    return Dataset.objects.filter(dataset_is_editable(user)).order_by("-id")


def owned_datasets(user: AnyUser) -> QuerySet[Dataset]:
    return Dataset.objects.filter(dataset_is_owned(user)).order_by("-id")


def removable_memberships(user: AnyUser) -> QuerySet[Membership]:
    """Those that the user gave, and those that the user has: whoever was let in may leave."""
    given = Q(dataset__in=owned_datasets(user).order_by().values("pk"))
    return Membership.objects.filter(given | Q(user=user.pk)).select_related("dataset")


def visible_videos(user: AnyUser) -> QuerySet[Video]:
    return Video.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset", "label")


def editable_videos(user: AnyUser) -> QuerySet[Video]:
    return Video.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset", "label")


def visible_flow_caches(user: AnyUser) -> QuerySet[FlowCache]:
    return FlowCache.objects.filter(dataset_is_visible(user, "dataset__")).select_related("dataset")


def editable_flow_caches(user: AnyUser) -> QuerySet[FlowCache]:
    return FlowCache.objects.filter(dataset_is_editable(user, "dataset__")).select_related("dataset")


def own_uploads(user: AnyUser) -> QuerySet[Upload]:
    """An upload is its owner's alone, whoever else may see what came of it; one whose bytes were freed is of no more use."""
    return Upload.objects.filter(user_id=user.pk or 0, freed_at=None)


def own_imports(user: AnyUser) -> QuerySet[Import]:
    return Import.objects.filter(user_id=user.pk or 0).select_related("dataset")
