"""What can go wrong through no fault of ours: each error names the thing and the next step."""

import re

from ml.words import worded

WIDE_ENDS = ("。", "！", "？")
ENDS = (".", "!", "?", "…", *WIDE_ENDS)
HAN = re.compile("[\u4e00-\u9fff]")


class UserError(Exception):
    """A problem somebody can solve: `message` says what happened to what, `advice` what to do next; `detail` is a table for it.

    Both are templates, never f-strings, and `values` what they have places for:
    BadArchive("{name} is no zip file", "Unpack it, or make a zip.", name=path.name).
    """

    def __init__(self, message: str, advice: str = "", detail: str = "", **values: object) -> None:
        self.message, self.advice, self.detail = worded(message, values), worded(advice, values), detail
        super().__init__(self.message)

    @property
    def sentences(self) -> str:
        """Both, to be read in one go."""
        return in_sentences(self.message, self.advice)


class BadVideo(UserError):
    """A file that is no usable video."""


class BadArchive(UserError):
    """An archive that is damaged or not safe to open."""


class BadLayout(UserError):
    """Sources in which no dataset can be recognised, or lists that do not fit their files."""


class BadPack(UserError):
    """A frame or flow pack that is truncated, foreign or of another version."""


class BadConfig(UserError):
    """A config out of range, of another version or with unknown keys."""


class BadCheckpoint(UserError):
    """A checkpoint that is truncated or of another model."""


class BadScores(UserError):
    """A score file that is damaged, or score files that do not fit each other."""


class UnlikeScores(BadScores):
    """Score files, whole each by itself, of other videos, classes, labels or groups."""


class MissingFlow(UserError):
    """Flow that a temporal stream needs and nobody has extracted yet."""


class MissingWeights(UserError):
    """Pretrained weights that this machine does not have."""


class BadBatch(UserError):
    """A batch in which a loss finds nothing to compare."""


class NotANumber(UserError):
    """A loss that became NaN or infinite."""


class DiskFull(UserError):
    """No room for what is to be written."""


class FolderBusy(UserError):
    """Another process works in the same output folder."""


class OutOfMemory(UserError):
    """A model, crop or batch that the device's memory does not hold."""


def in_sentences(message: str, advice: str) -> str:
    """What happened and what to do next, with the full stop that a message alone goes without; a wide one has its room in itself."""
    if not advice:
        return message
    stop = "" if message.endswith(ENDS) else "。" if HAN.match(message[-1:]) else "."
    return f"{message}{stop}{'' if (message + stop).endswith(WIDE_ENDS) else ' '}{advice}"
