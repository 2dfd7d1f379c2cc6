"""A database that is busy or away for a while must not cost a job."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, close_old_connections

logger = logging.getLogger(__name__)

UNAVAILABLE = (OperationalError, InterfaceError)
"""Locked for longer than the connection waits, restarted, out of reach: the same query may succeed later."""

PAUSES_SECONDS = (0.2, 1.0, 3.0, 10.0)


@contextmanager
def or_later(what: str) -> Iterator[None]:
    """For writes that come again anyway: one that fails now is left out."""
    try:
        yield
    except UNAVAILABLE as error:
        logger.warning("%s: the database does not answer: %s", what, error)
        close_old_connections()


def patiently(what: str, write: Callable[[], None]) -> None:
    """For writes that must not be left out: try again after growing pauses.

    Raises:
        OperationalError, InterfaceError: the database did not answer the last time either.
    """
    for pause in PAUSES_SECONDS:
        try:
            return write()
        except UNAVAILABLE as error:
            logger.warning("%s: the database does not answer, once more in %s s: %s", what, pause, error)
            close_old_connections()
            time.sleep(pause)
    return write()
