"""What fusing is good for, in one sentence: what each stream gets right alone, all of them together, and who guesses."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from webapp.punctuation import listed
from webapp.shares import in_percent


@dataclass(frozen=True)
class Alone:
    """A stream by the name that the page has for it, and its top-1 (0…1)."""

    name: str
    top1: float


def chance(num_classes: int) -> float:
    """Top-1 (0…1) of whoever picks one of the classes blindly."""
    return 1 / num_classes


def in_a_sentence(streams: Sequence[Alone], fused: float, num_classes: int, num_videos: int) -> str:
    alone = listed(_("%(stream)s alone %(share)s") % {"stream": one.name, "share": in_percent(one.top1, num_videos)} for one in streams)
    numbers = {"alone": alone, "fused": in_percent(fused, num_videos), "videos": num_videos, "classes": num_classes}
    text = ngettext(
        "Right on %(videos)d video: %(alone)s, fused %(fused)s. By guessing one of %(classes)d classes: %(chance)s.",
        "Right on %(videos)d videos: %(alone)s, fused %(fused)s. By guessing one of %(classes)d classes: %(chance)s.",
        num_videos,
    )
    return text % {**numbers, "chance": in_percent(chance(num_classes), num_videos)}
