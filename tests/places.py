"""What belongs to one process of the tests alone: a folder, and ports."""

import atexit
import shutil
import socket
import tempfile


def own_folder() -> str:
    """An empty folder that is gone when this process ends."""
    folder = tempfile.mkdtemp(prefix="kinetoscope-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def own_port() -> int:
    """A loopback port that the kernel gives to nobody by chance as long as this process lives.

    It is bound without being listened on: whoever connects is refused, until a server that sets SO_REUSEADDR, as Valkey and gunicorn do,
    asks for this very port.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = int(holder.getsockname()[1])
    holder.detach()  # open until the process ends
    return port
