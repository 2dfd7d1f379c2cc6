"""Datasets, their videos, labels and splits; uploads and imports on the way in."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ml.config.data import FrameSpec
from ml.config.store import MediaStore
from webapp.words import WordsField, WordsJSONField


def media_store() -> MediaStore:
    """The one store of media that all datasets share."""
    return MediaStore(settings.DATA_DIR / "media")


class Upload(models.Model):
    """A file that comes in chunks and may be continued after a cut. Its bytes lie under its id, never under its name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255, help_text="As the user's machine called it; shown, never used as a path.")
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    freed_at = models.DateTimeField(null=True, blank=True, help_text="When its bytes went: what they held is in the media store.")

    class Meta:
        ordering = ("created_at",)

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return Path(settings.DATA_DIR) / "uploads" / str(self.id)

    @property
    def is_complete(self) -> bool:
        return self.received == self.size and self.freed_at is None


class Dataset(models.Model):
    """Videos with labels, in classes, with one or more splits."""

    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="datasets")
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="shared_datasets")
    created_at = models.DateTimeField(auto_now_add=True)
    layout = models.CharField(max_length=40, blank=True, help_text="What the import recognised.")
    frame_spec = models.JSONField(default=dict)
    findings = WordsJSONField(default=list, blank=True, help_text="Leaks, duplicates, empty classes: kind, message, videos.")
    combination = models.JSONField(
        default=dict, blank=True, help_text="first, second (id, name), classes (a class map), added: of what it was made; empty: imported."
    )

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name

    @property
    def folder(self) -> Path:
        """Holds `manifest.json`."""
        return Path(settings.DATA_DIR) / "datasets" / str(int(self.pk))

    @property
    def frames(self) -> FrameSpec:
        return FrameSpec.model_validate(self.frame_spec)


class Membership(models.Model):
    """Who besides the owner may see a dataset (and all that grew from it), or change it."""

    class Role(models.TextChoices):
        VIEWER = "viewer", _("may look")
        EDITOR = "editor", _("may change and train")

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("dataset", "user"), name="one_membership_per_user"),)

    def __str__(self) -> str:
        return f"{self.user} {self.role} {self.dataset}"


class Label(models.Model):
    """A class of a dataset; `index` is its place in every score vector."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="labels")
    index = models.PositiveIntegerField()
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("index",)
        constraints = (
            models.UniqueConstraint(fields=("dataset", "index"), name="one_label_per_index"),
            models.UniqueConstraint(fields=("dataset", "name"), name="one_label_per_name"),
        )

    def __str__(self) -> str:
        return self.name


class Video(models.Model):
    """One video file of a dataset, or one that was refused, with the reason."""

    class Status(models.TextChoices):
        OK = "ok", _("usable")
        REFUSED = "refused", _("refused")

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="videos")
    key = models.CharField(max_length=40, help_text="Names the video in manifests and score files.")
    path = models.CharField(max_length=1000, help_text="Where it stood in the upload; shown, never opened.")
    media = models.CharField(max_length=64, blank=True, db_index=True, help_text="SHA-256 of the file.")
    label = models.ForeignKey(Label, null=True, blank=True, on_delete=models.PROTECT, related_name="videos")
    group = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.OK)
    reason = WordsField(blank=True)
    advice = WordsField(blank=True)
    notes = WordsJSONField(default=list, blank=True)
    frames = models.PositiveIntegerField(default=0)
    fps = models.FloatField(default=0)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    duration_seconds = models.FloatField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    codec = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("dataset", "key"), name="one_video_per_key"),)
        indexes = (models.Index(fields=("dataset", "status", "label"), name="video_browse"),)

    def __str__(self) -> str:
        return self.path


class Split(models.Model):
    """A partition of a dataset: official, from a CSV, or made by us and then aware of groups."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="splits")
    name = models.CharField(max_length=40)
    origin = models.CharField(max_length=12)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("dataset", "name"), name="one_split_per_name"),)

    def __str__(self) -> str:
        return self.name


class SplitEntry(models.Model):
    """Which subset a video belongs to in a split."""

    class Subset(models.TextChoices):
        TRAIN = "train", _("training")
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    split = models.ForeignKey(Split, on_delete=models.CASCADE, related_name="entries")
    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="split_entries")
    subset = models.CharField(max_length=10, choices=Subset)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("split", "video"), name="one_subset_per_video"),)

    def __str__(self) -> str:
        return f"{self.video_id} {self.subset}"


class FlowCache(models.Model):
    """Optical flow of one dataset with one spec: what was extracted, and what it takes on disk."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="flow_caches")
    spec = models.JSONField()
    spec_id = models.CharField(max_length=12)
    videos_done = models.PositiveIntegerField(default=0)
    videos_failed = WordsJSONField(default=list, blank=True)
    bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)
        constraints = (models.UniqueConstraint(fields=("dataset", "spec_id"), name="one_cache_per_spec"),)

    def __str__(self) -> str:
        return self.spec_id

    def pack(self, media: str) -> Path:
        """Of one content; made from the frames as this dataset stores them."""
        return media_store().flow(media, self.dataset.frames.spec_id(), self.spec_id)

    def preview(self, media: str) -> Path:
        return media_store().flow_preview(media, self.dataset.frames.spec_id(), self.spec_id)


class Import(models.Model):
    """A dataset on its way in: sources → preview → confirmed options → videos. Also adds videos to an existing dataset."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="imports")
    uploads = models.ManyToManyField(Upload, related_name="imports", blank=True)
    folder = models.CharField(max_length=1000, blank=True, help_text="A folder on the server, inside an import root.")
    dataset = models.ForeignKey(Dataset, null=True, blank=True, on_delete=models.CASCADE, related_name="imports")
    preview = WordsJSONField(default=dict, blank=True, help_text="What `python -m ml inspect` recognised.")
    options = models.JSONField(default=dict, blank=True, help_text="name, label, test_fraction, seed, frame_spec: confirmed by the user.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"import {self.pk}"
