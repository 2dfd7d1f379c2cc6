"""Timing and memory of child processes, and a table of results."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of a result table; `ratio` is alternative ÷ ours, so more than 1 means that we are faster."""

    what: str
    ours: str
    alternative: str = ""
    ratio: float | None = None
    bar: str = ""


def best_of(repeats: int, work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of the fastest of some calls; by `time.process_time` where one thread is measured on a machine that others use."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        work()
        seconds.append(clock() - start)
    return min(seconds)


def run_python(code: str) -> tuple[float, int]:
    """Wall seconds and peak resident bytes of a fresh interpreter that runs `code`.

    VmHWM and not `ru_maxrss`: the latter begins with the size of the process that started it.
    """
    probe = f"{code}\nprint(*(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    start = time.perf_counter()
    output = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, int(output.split()[-2]) * 1024


def print_table(rows: Iterable[Row]) -> None:
    """A Markdown table, as it stands in docs/benchmarks.md; each line as soon as it is measured."""
    print("| what | ours | alternative | ratio | bar |\n|---|---|---|---|---|")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        print(f"| {row.what} | {row.ours} | {row.alternative} | {ratio} | {row.bar} |", flush=True)
