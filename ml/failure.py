"""Whatever went wrong in a command, as the one `Failed` event that ends it."""

import errno
import traceback

from ml.errors import UserError
from ml.events import Failed
from ml.words import Words

BUG = 70
"""Exit code of an error that is ours (sysexits.h: EX_SOFTWARE)."""


def failure(error: Exception) -> tuple[Failed, int]:
    """An exception → the event that tells of it, and the exit code: 1 when somebody can solve it, 70 when it is a bug."""
    if isinstance(error, UserError):
        return Failed(type(error).__name__, error.message, error.advice, error.detail), 1
    trace = "".join(traceback.format_exception(error))
    if is_out_of_memory(error):
        advice = "Use a smaller batch, crop or backbone, fewer loader processes, or a machine with more memory."
        return Failed("OutOfMemory", "The memory of this machine is full", advice, trace), 1
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failed("DiskFull", _unwritten(error), "Free some space and start again.", trace), 1
    if isinstance(error, OSError) and error.filename is not None:
        advice = "Check that the path exists and that this user may read and write it."
        return Failed("BadPath", Words("{reason}: {path}", reason=reason_of(error), path=error.filename), advice, trace), 1
    return Failed(
        "Bug",
        Words("{kind}: {problem}", kind=type(error).__name__, problem=error),
        "This is our mistake: please report it with the details below.",
        trace,
    ), BUG


def is_out_of_memory(error: Exception) -> bool:
    """Python's own, CUDA's (`torch.OutOfMemoryError`) and torch's CPU allocator's complaint, told apart without importing torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator" in str(error)


def reason_of(error: Exception) -> Words:
    """What the system, or FFmpeg, calls it: `No such file or directory`."""
    return Words(getattr(error, "strerror", None) or type(error).__name__)


def _unwritten(error: OSError) -> str:
    if error.filename is None:
        return "The disk is full: could not write to the output folder"
    return Words("The disk is full: could not write {path}", path=error.filename)
