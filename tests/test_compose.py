"""The compose file and the image agree with the code they start."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from ml.config.weights import IMAGENET

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}


def test_only_the_web_port_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["web"]


def test_no_secret_has_a_default() -> None:
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET)\w*)([^}]*)\}", (ROOT / "docker-compose.yml").read_text())
    assert secrets
    assert [name for name, rest in secrets if not rest.startswith(":?")] == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_health_check_and_comes_back(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_read_by_the_code(name: str) -> None:
    code = "\n".join(path.read_text() for path in [*ROOT.glob("webapp/**/*.py"), *ROOT.glob("worker/**/*.py")])
    unread = [variable for variable in OURS[name]["environment"] if f'"{variable}"' not in code]
    assert unread == []


@pytest.mark.parametrize("name", OURS)
def test_every_command_exists(name: str) -> None:
    words = OURS[name]["command"]
    line = " ".join(words)
    for command in re.findall(r"manage\.py (\w+)", line):
        assert command in get_commands()
    programs = {"gunicorn", "celery", "sh"}
    assert words[0] in programs
    requirements = (ROOT / "requirements" / "web.txt").read_text()
    assert all(f"{program}==" in requirements for program in {"gunicorn", "celery"} & set(line.split()))


def test_the_workers_listen_to_every_queue_between_them() -> None:
    from worker.app import app

    listened = {queue for service in OURS.values() for text in _after(service["command"], "--queues") for queue in text.split(",")}
    assert listened == {queue.name for queue in app.conf.task_queues}


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if "--hostname" in service["command"]])
def test_a_worker_is_well_only_if_it_answers_itself(name: str) -> None:
    (hostname,) = _after(OURS[name]["command"], "--hostname")
    assert f"--destination {hostname.replace('%h', '$$(hostname)')}" in SERVICES[name]["healthcheck"]["test"][1]


def test_web_and_workers_see_the_same_weights() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    packages = {weights.package.replace("_", "-") for weights in IMAGENET.values() if weights.package}
    assert "TORCH_HOME=/data/" in dockerfile  # on the volume that they share
    assert all(package in dockerfile for package in packages)


def test_exactly_one_service_runs_the_beat() -> None:
    assert [name for name, service in OURS.items() if "--beat" in service["command"]] == ["worker-predict"]


@pytest.mark.parametrize("name", OURS)
def test_every_build_target_stands_in_the_dockerfile(name: str) -> None:
    assert f"AS {OURS[name]['build']['target']}\n" in (ROOT / "Dockerfile").read_text()


def test_what_the_dockerfile_copies_exists() -> None:
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        for path in re.findall(r"requirements/\w+\.txt", line):
            assert (ROOT / path).is_file()


def _after(words: list[str], option: str) -> list[str]:
    return [words[index + 1] for index, word in enumerate(words[:-1]) if word == option]
