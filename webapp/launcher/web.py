"""Gunicorn's hooks: its workers go with it, even when it is killed, and leave the port to the next one."""

from ml.process import die_with_parent


def post_fork(_server: object, _worker: object) -> None:
    die_with_parent()
