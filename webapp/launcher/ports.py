"""Where the site listens."""

import socket

from django.core.management.base import CommandError

FIRST_PORT = 8000
TRIED = 50


def is_free(host: str, port: int) -> bool:
    """Whether this machine lets us listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def choose_port(host: str, wanted: int | None) -> int:
    """The port that was asked for, or the first free one from 8000 on.

    Raises:
        CommandError: it is taken.
    """
    if wanted is not None:
        if not is_free(host, wanted):
            raise CommandError(f"Port {wanted} on {host} is taken by another program. Name another one with --port, or stop that program.")
        return wanted
    for port in range(FIRST_PORT, FIRST_PORT + TRIED):
        if is_free(host, port):
            return port
    raise CommandError(f"No port from {FIRST_PORT} to {FIRST_PORT + TRIED - 1} on {host} is free. Name one with --port.")
