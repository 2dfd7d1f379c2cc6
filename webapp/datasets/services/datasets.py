"""Changing a dataset: its members and the labels of its videos."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from ml.errors import UserError
from webapp.datasets.models import Dataset, Label, Membership, Video


class NotShared(UserError):
    """Somebody a dataset cannot be shared with."""


class NotLabelled(UserError):
    """A video that cannot get this label."""


def share_dataset(dataset: Dataset, username: str, role: str) -> Membership:
    """Let a user look or change; sharing again changes the role.

    Raises:
        NotShared: there is no such user, or it is the owner.
    """
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        gone = _("There is no user “%(name)s”.") % {"name": username}
        raise NotShared(gone, _("Check the spelling; an admin adds users on the System page."))
    if user.pk == dataset.owner_id:
        raise NotShared(_("“%(name)s” owns this dataset already.") % {"name": username})
    membership, _created = Membership.objects.update_or_create(dataset=dataset, user=user, defaults={"role": role})
    return membership


def unshare_dataset(membership: Membership) -> None:
    """Take the membership back."""
    membership.delete()


def relabel_video(video: Video, label: Label) -> None:
    """Give a video another class. Runs keep the labels they were trained on.

    Raises:
        NotLabelled: the class is another dataset's, or the file was refused.
    """
    if label.dataset_id != video.dataset_id:
        raise NotLabelled(_("“%(label)s” is no class of this dataset.") % {"label": label.name})
    if video.status != Video.Status.OK:
        raise NotLabelled(_("A refused file has no class."), _("Mend the file and import it again."))
    video.label = label
    video.save(update_fields=["label"])
