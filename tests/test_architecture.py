"""The rules of ARCHITECTURE.md, kept: who may import whom, and what a start of each part may lead to."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "torchvision", "timm", "numpy", "cv2", "av", "sklearn"}


def test_the_contracts_in_pyproject_are_kept() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_services_of_jobs_set_the_state_of_a_job() -> None:
    services = ROOT / "webapp" / "jobs" / "services"
    sources = (path for part in ("webapp", "worker") for path in (ROOT / part).rglob("*.py") if services not in path.parents)
    assert [str(path.relative_to(ROOT)) for path in sources if any(map(sets_a_state, ast.walk(ast.parse(path.read_text()))))] == []


def sets_a_state(node: ast.AST) -> bool:
    """`job.state = …`, or `jobs.update(state=…)`."""
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Attribute) and target.attr == "state" for target in targets)
        case ast.Call(func=ast.Attribute(attr="update" | "create"), keywords=keywords):
            return any(keyword.arg == "state" for keyword in keywords)
        case _:
            return False


def imported_by(code: str) -> set[str]:
    """The top-level modules in a fresh interpreter after `code`; what it prints goes to stderr."""
    answer = "print(*{name.partition('.')[0] for name in sys.modules}, file=answer)"
    script = f"import sys; answer, sys.stdout = sys.stdout, sys.stderr\n{code}\n{answer}"
    environment = {"PATH": "/usr/bin:/bin", "DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["ml.config.experiment", "ml.config.data", "ml.config.store", "ml.events", "ml.errors"])
def test_what_can_be_asked_for_needs_pydantic_alone(module: str) -> None:
    assert not imported_by(f"import {module}") & (HEAVY | {"django", "celery"})


@pytest.mark.parametrize(
    "arguments", [["--help"], ["catalogue", "--json"], ["train", "--help"], ["evaluate", "--help"], ["inspect", "--help"]]
)
def test_help_and_catalogue_come_without_torch(arguments: list[str]) -> None:
    code = f"from ml.__main__ import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert not imported_by(code) & {"torch", "torchvision", "timm", "sklearn", "django", "celery"}


def test_the_engine_runs_without_the_web_and_until_a_map_is_asked_for_without_umap() -> None:
    modules = imported_by("import ml.experiment, ml.commands.evaluate, ml.prediction.serve, ml.evaluation.embedding.report")
    assert "torch" in modules and not modules & {"django", "celery", "webapp", "worker", "umap", "numba"}


def test_the_web_process_leads_to_nothing_heavy() -> None:
    assert not imported_by("import django\ndjango.setup()\nimport webapp.urls") & (HEAVY | {"worker"})


def test_the_worker_leads_to_nothing_heavy() -> None:
    modules = imported_by("import django\ndjango.setup()\nimport worker.app, worker.run")
    assert "celery" in modules and not modules & HEAVY
