"""`python -m ml COMMAND …`: everything the engine does, without the web.

On a terminal events become a progress bar; to a pipe each is one JSON line; `--json` prints the answer alone.
Exit codes: 0 finished or stopped on request, 1 failed for a reason somebody can solve, 2 wrong usage, 70 a bug of ours.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Protocol, TextIO, cast

from ml.events import Event, Failed
from ml.failure import failure
from ml.process import Stop, collect_garbage, die_with_parent, keep_freed_memory
from ml.progress import AnswerOnly, JsonLines, Terminal

COMMANDS: dict[str, str] = {
    "catalogue": "what can be asked for: schemas, presets, protocols",
    "draw": "draw the demo dataset: 3 appearances × 3 motions",
    "inspect": "recognise a dataset's layout; writes nothing",
    "ingest": "import videos into a dataset folder",
    "combine": "add classes of a second dataset to a first one",
    "flow": "extract optical flow for a dataset",
    "study": "the configs of a study's grid, ready to train",
    "train": "train a run from a config, or resume it",
    "evaluate": "score a subset with a run under a stated protocol",
    "fuse": "fuse the scores of several streams",
    "filters": "the first layer of a run as a picture",
    "weights": "check a file of pretrained weights against a backbone",
    "metrics": "the numbers behind a score file",
    "embed": "where videos lie: measures, neighbours, near classes, maps",
    "predict": "the classes of one video by a run or a fusion",
    "serve": "warm predictions: JSON requests on stdin",
}
"""Each is a module `ml.commands.<name>`, imported only when chosen: help and catalogue come without torch."""


class Command(Protocol):
    """What a module in `ml/commands/` offers. `--json` belongs to every command and is added here."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace, stop: Stop) -> Iterator[Event]: ...


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    if os.environ.get("KINETOSCOPE_DIE_WITH_PARENT") == "1":
        die_with_parent()
    parser = overview()
    if not arguments:
        parser.print_help()
        return 0
    chosen = parser.parse_args(arguments)
    command = cast(Command, importlib.import_module(f"ml.commands.{chosen.command}"))
    args = parser_of(chosen.command, command).parse_args(chosen.arguments)
    stop = Stop()
    stop.listen()
    return perform(command, args, stop, show=shown_by(args.json, sys.stdout, sys.stderr))


def overview() -> argparse.ArgumentParser:
    """The parser of `python -m ml`: the command's name, and the rest untouched."""
    lines = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m ml",
        description="Kinetoscope's engine: video action recognition from files to scores.",
        epilog=f"commands:\n{lines}\n\n`python -m ml COMMAND --help` explains one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="…", help="its arguments")
    return parser


def parser_of(name: str, command: Command) -> argparse.ArgumentParser:
    """The parser of one command."""
    parser = argparse.ArgumentParser(prog=f"python -m ml {name}", description=command.HELP, conflict_handler="resolve")
    parser.add_argument("--json", action="store_true", help="print only the answer, as one JSON document")
    command.add_arguments(parser)
    return parser


def shown_by(answer_only: bool, out: TextIO, err: TextIO) -> Callable[[Event], None]:
    """Who reads this? A program that wants the answer, a person, or a program that wants every event."""
    if answer_only:
        return AnswerOnly(out, err)
    return Terminal(out, err) if out.isatty() else JsonLines(out)


def perform(command: Command, args: argparse.Namespace, stop: Stop, show: Callable[[Event], None]) -> int:
    """Show every event of a command; the last one tells the exit code. What libraries print goes to stderr."""
    last: Event | None = None
    try:
        with redirect_stdout(sys.stderr):
            for last in command.run(args, stop):
                collect_garbage()
                show(last)
    except BrokenPipeError:
        return 1
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever went wrong becomes an event
        failed, code = failure(error)
        show(failed)
        return code
    return 1 if isinstance(last, Failed) else 0


def start() -> int:
    """`main` on the real streams: UTF-8 whatever the locale, and silence when the reader is gone."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    keep_freed_memory()
    gc.disable()  # until the first event
    code = main(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    raise SystemExit(start())
