"""`python -m benchmarks [NAME…]`: runs all benchmarks, or those named, and prints one table."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import embedding, extraction, flow, ingest, loader, losses, memory, store, training, web
from benchmarks.measure import Row, print_table

DATA = Path(os.environ.get("KINETOSCOPE_REAL_DATA", "../shared/data"))

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "web": lambda: web.run(DATA),
    "ingest": ingest.run,
    "store": store.run,
    "loader": loader.run,
    "flow": lambda: flow.run(DATA),
    "extraction": extraction.run,
    "memory": memory.run,
    "losses": losses.run,
    "embedding": embedding.run,
    "training": training.run,
}

if __name__ == "__main__":
    names = sys.argv[1:] or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"No benchmark called {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}.")
    print_table([row for name in names for row in BENCHMARKS[name]()])
