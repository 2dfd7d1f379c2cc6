"""`manage.py launch`: the whole product on one machine, until Ctrl-C."""

import os
from pathlib import Path
from socket import gethostname
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from webapp.launcher.broker import new_broker
from webapp.launcher.launcher import Launcher
from webapp.launcher.ports import choose_port
from webapp.launcher.prepare import prepare
from webapp.launcher.record import only_launcher, write_record
from webapp.launcher.services import services

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Start broker, workers and web server, and serve until Ctrl-C, which stops all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine alone)")
        parser.add_argument("--port", type=int, help="port to listen on (default: the first free one from 8000 on)")
        parser.add_argument("--demo", action="store_true", help="draw the demo dataset, train, fuse, and show the results")

    def handle(self, *args: object, **options: Any) -> None:
        run = Path(settings.DATA_DIR) / "run"
        with only_launcher(run):
            host, port = options["host"], choose_port(options["host"], options["port"])
            if host not in LOOPBACK and "ALLOWED_HOSTS" not in os.environ:
                self._say(f"Only localhost is answered. To be reached by others: ALLOWED_HOSTS=localhost,{gethostname()}")
            broker = None if os.environ.get("REDIS_URL") else new_broker(Path(settings.DATA_DIR) / "redis")
            prepare()
            url = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - told apart, not listened on
            write_record(run, url=url, host=host, port=port, redis_url=broker.url if broker else settings.REDIS_URL)
            launcher = Launcher(services(broker, host, port), url, self._say)
            launcher.run(then=("demo", "--url", url) if options["demo"] else ())

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
