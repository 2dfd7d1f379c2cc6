"""Whatever went wrong in a command, as the one `Failed` event that ends it."""

import errno
import traceback

from ml.errors import UserError
from ml.events import Failed

BUG = 70
"""Exit code of an error that is ours (sysexits.h: EX_SOFTWARE)."""


def failure(error: Exception) -> tuple[Failed, int]:
    """An exception → the event that tells of it, and the exit code: 1 when somebody can solve it, 70 when it is a bug."""
    if isinstance(error, UserError):
        return Failed(type(error).__name__, str(error), error.advice, error.detail), 1
    trace = "".join(traceback.format_exception(error))
    if is_out_of_memory(error):
        advice = "Use a smaller batch, crop or backbone, fewer loader processes, or a machine with more memory."
        return Failed("OutOfMemory", "The memory of this machine is full", advice, trace), 1
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failed("DiskFull", f"The disk is full: could not write {_place(error)}", "Free some space and start again.", trace), 1
    if isinstance(error, OSError) and error.filename is not None:
        advice = "Check that the path exists and that this user may read and write it."
        return Failed("BadPath", f"{error.strerror}: {_place(error)}", advice, trace), 1
    return Failed("Bug", f"{type(error).__name__}: {error}", "This is our mistake: please report it with the details below.", trace), BUG


def is_out_of_memory(error: Exception) -> bool:
    """Python's own, CUDA's (`torch.OutOfMemoryError`) and torch's CPU allocator's complaint, told apart without importing torch."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "DefaultCPUAllocator" in str(error)


def _place(error: OSError) -> str:
    return str(error.filename) if error.filename is not None else "to the output folder"
