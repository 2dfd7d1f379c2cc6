"""Asking for predictions, and what the user makes of the answer."""

from collections.abc import Iterable, Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from ml.errors import UserError
from ml.words import Words
from webapp.datasets.models import Import, Label, Upload, Video
from webapp.experiments.heads import Head
from webapp.experiments.models import Run
from webapp.jobs.models import Job
from webapp.jobs.services import open_job, submit
from webapp.predictions.models import Prediction
from webapp.predictions.selectors import sending_job

MOST_OPEN = 50


class RefusedPrediction(UserError):
    """A prediction that cannot be asked for, or an answer that cannot be used as asked."""


@transaction.atomic
def predict(user: User, uploads: Sequence[Upload], head: Head) -> list[Prediction]:
    """A prediction and its job for each upload.

    Raises:
        RefusedPrediction: no uploads, one of them is not whole, or the user has too many open predictions.
    """
    if not uploads:
        raise RefusedPrediction(_("No video was given."), _("Choose one video or more."))
    partial = next((upload for upload in uploads if not upload.is_complete), None)
    if partial is not None:
        raise RefusedPrediction(_("“%s” is not completely uploaded.") % partial, _("Choose the file again; it goes on where it was cut."))
    num_open = Prediction.objects.filter(user=user, job__state__in=Job.OPEN).count()
    if num_open + len(uploads) > MOST_OPEN:
        text = _("You have %(open)d predictions waiting or running; at most %(most)d may be.")
        advice = _("Wait until some are done, or cancel them.")
        raise RefusedPrediction(text % {"open": num_open, "most": MOST_OPEN}, advice)
    return [_predict_one(user, upload, head) for upload in uploads]


def _predict_one(user: User, upload: Upload, head: Head) -> Prediction:
    """The job has no dataset: what a user uploads here is nobody else's to see."""
    job = open_job(Job.Kind.PREDICT, upload.name, user)
    source, other_split = head
    by = {"run": source} if isinstance(source, Run) else {"fusion": source}
    prediction = Prediction.objects.create(user=user, upload=upload, job=job, other_split=other_split, **by)
    submit(job, prediction.pk)
    return prediction


def confirm(prediction: Prediction, label: Label) -> None:
    """What the video really shows, says the user.

    Raises:
        RefusedPrediction: the label is not one of the dataset's, the prediction has no answer yet, or the video was sent already.
    """
    if label.dataset_id != prediction.dataset.pk:
        raise RefusedPrediction(_("“%s” is not a class of this dataset.") % label, _("Choose one of its classes."))
    if not prediction.result:
        raise RefusedPrediction(_("There is no answer to confirm yet."), _("Wait until the prediction is done."))
    if sending_job(prediction) is not None:
        raise RefusedPrediction(_("The video is on its way into the dataset under its old label."), _("Change the label there."))
    prediction.confirmed_label = label
    prediction.save(update_fields=["confirmed_label"])


@transaction.atomic
def send_to_dataset(prediction: Prediction, user: User, group: str = "") -> Job:
    """Add the video to the dataset under its confirmed label; the job that does it.

    Args:
        group: what it was cut from; it joins the side of each split on which the group's other videos stand.

    Raises:
        RefusedPrediction: no label was confirmed, or the video was sent already.
    """
    prediction = Prediction.objects.select_for_update().get(pk=prediction.pk)
    label, dataset = prediction.confirmed_label, prediction.dataset
    if label is None:
        raise RefusedPrediction(_("No label was confirmed."), _("Accept or correct the label first."))
    if sending_job(prediction) is not None:
        raise RefusedPrediction(_("This video was sent to the dataset already."), _("Look for it there."))
    addition = Import.objects.create(user=user, dataset=dataset, options={"label": label.name, "group": group})
    addition.uploads.add(prediction.upload)
    job = open_job(Job.Kind.INGEST, Words("Add “{video}” to {dataset}", video=prediction.upload, dataset=dataset), user, dataset)
    submit(job, addition.pk)
    return job


def note_arrival(import_: Import, videos: Iterable[Video]) -> None:
    """Which video of the dataset a prediction's file became, once the import that it was sent with is done."""
    by_path = {video.path: video for video in videos}
    sent = Prediction.objects.filter(upload__imports=import_, confirmed_label__dataset=import_.dataset).select_related("upload")
    for prediction in sent:
        prediction.sent_as = by_path.get(prediction.upload.name)
        prediction.save(update_fields=["sent_as"])
