"""Import of 500 short clips: all cores against one."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row


def ingest_seconds(source: Path, out: Path, cores: set[int]) -> float:
    """Wall seconds of `python -m ml ingest` kept to some cores."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "ml", "ingest", str(source), "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
    return time.perf_counter() - start


def run() -> list[Row]:
    """Draws about 500 clips, imports them twice."""
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "clips"
        draw = [sys.executable, "-m", "ml", "draw", "--out", str(source), "--groups", "14", "--clips-per-group", "4"]
        subprocess.run(draw, check=True, capture_output=True)
        count = len(list(source.rglob("*.mp4")))
        ours = ingest_seconds(source, Path(folder) / "all", cores)
        one = ingest_seconds(source, Path(folder) / "one", {min(cores)})
    return [Row(f"import of {count} clips, {len(cores)} cores", f"{ours:.1f} s", f"one core: {one:.1f} s", one / ours, "uses all cores")]
