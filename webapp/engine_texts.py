"""The sentences of the engine, the worker and the jobs, which are translated and filled in where somebody reads them.

They are found where they are said: in errors, events and `Words`. A sentence that is put together there, by an f-string say, could be
translated by nobody: `put_together` tells of each, and a test asks for none.
"""

import ast
import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from django.conf import settings

from ml.words import PLACE

MESSAGE_AND_ADVICE = ("message", "advice")
SAYS: dict[str, tuple[str | None, ...]] = {
    "Words": ("template",),
    "counted": ("one", "many"),
    "Failed": (None, *MESSAGE_AND_ADVICE),
    "VideoFailed": (None, "reason", "advice"),
    "Progress": (None, None, None, "message"),
    "Stopped": ("message",),
    "Finding": (None, "message"),
    "Refusal": (None, "reason", "advice"),
    "refuse": (None, "reason", "advice"),
    "disk_full": ("message",),
}
"""What says something to people, and which of its arguments do, in their order; every error is asked for a message and advice."""

SYSTEM = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EIO, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.ESTALE, errno.EINVAL)
"""What an operating system complains of."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Said:
    """What people may read in the place of an argument: `ml/video/x.py:12`. In `webapp` an error is said to its reader at once."""

    text: ast.expr
    place: str
    is_at_once: bool


@dataclass(frozen=True)
class Source:
    """A file of code."""

    path: Path

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def said(self) -> list[Said]:
        """What its calls say to people."""
        path = self.path.relative_to(settings.BASE_DIR)
        return [
            Said(part, f"{path}:{text.lineno}", is_error and path.parts[0] == "webapp")
            for call, function in self._calls()
            for text, is_error in _arguments(call)
            for part in self._parts(text, function)
        ]

    def _calls(self) -> Iterator[tuple[ast.Call, ast.AST]]:
        """Every call with the function it stands in, the innermost, or the module."""
        functions = [node for node in ast.walk(self.tree) if isinstance(node, Function)]
        inner = {id(node): function for function in functions for node in ast.walk(function)}
        yield from ((node, inner.get(id(node), self.tree)) for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def _parts(self, text: ast.expr, function: ast.AST) -> Iterator[ast.expr]:
        """What a text may be: both sides of a condition, and whatever its name was given."""
        match text:
            case ast.IfExp(body=one, orelse=other):
                among = [one, other]
            case ast.BoolOp(values=among):
                pass
            case ast.BinOp(op=ast.Mod(), left=ast.Call() | ast.Name() as filled):
                among = [filled]
            case ast.Call(func=ast.Name(id="str"), args=[ast.Name() as lazy]) if self._assigned(lazy.id, function):
                among = [lazy]
            case ast.Name(id=name):
                among = self._assigned(name, function)
            case _:
                yield text
                return
        for part in among:
            yield from self._parts(part, function)

    def _assigned(self, name: str, function: ast.AST) -> list[ast.expr]:
        """What a name stands for: here, else in the module, else where it was imported from."""
        return _assignments(name, ast.walk(function)) or _assignments(name, self.tree.body) or self._imported(name)

    def _imported(self, name: str) -> list[ast.expr]:
        for node in self.tree.body:
            if isinstance(node, ast.ImportFrom) and node.module and any(alias.name == name for alias in node.names):
                path = settings.BASE_DIR.joinpath(*node.module.split(".")).with_suffix(".py")
                return _assignments(name, Source(path).tree.body) if path.is_file() else []
        return []


def _assignments(name: str, nodes: Iterator[ast.AST] | list[ast.stmt]) -> list[ast.expr]:
    assigns = (node for node in nodes if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None)
    return [
        value
        for node in assigns
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name and (value := node.value) is not None
    ]


def engine_texts() -> Iterator[str]:
    """All of them, as templates. What the site itself says to a reader goes through gettext at once, and is collected there."""
    for said in _everything_said():
        match said.text:
            case ast.Constant(value=str(template)) if re.search("[A-Za-z]", PLACE.sub("", template)):
                yield template
    yield from map(os.strerror, SYSTEM)


def put_together() -> list[str]:
    """Where a sentence cannot be translated."""
    return list(dict.fromkeys(said.place for said in _everything_said() if _is_lost(said)))


def _everything_said() -> Iterator[Said]:
    return (said for source in sources("ml", "worker", "webapp") for said in source.said)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Their files, but for the two that make words of anything."""
    makers = [settings.BASE_DIR / folder / "words.py" for folder in folders]
    paths = (path for folder in folders for path in sorted(settings.BASE_DIR.glob(f"{folder}/**/*.py")))
    return tuple(Source(path) for path in paths if path not in makers)


def _arguments(call: ast.Call) -> Iterator[tuple[ast.expr, bool]]:
    """Those that people read, and whether they are an error's."""
    name = call.func.id if isinstance(call.func, ast.Name) else call.func.attr if isinstance(call.func, ast.Attribute) else ""
    is_error = name in error_names()
    names = MESSAGE_AND_ADVICE if is_error else SAYS.get(name, ())
    given = [*zip(names, call.args, strict=False), *((keyword.arg, keyword.value) for keyword in call.keywords)]
    yield from ((text, is_error) for argument, text in given if argument is not None and argument in names)


@cache
def error_names() -> frozenset[str]:
    """`UserError` and all that is derived from it, wherever it is declared."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for source in sources("ml", "worker", "webapp")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }
    names = {"UserError"}
    while more := {name for name, above in bases.items() if above & names} - names:
        names |= more
    return frozenset(names)


def _is_lost(said: Said) -> bool:
    match said.text:
        case ast.JoinedStr() | ast.BinOp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name == "str"
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in ("format", "join")
        case ast.Constant(value=value):
            return said.is_at_once and bool(value)
        case _:
            return False
