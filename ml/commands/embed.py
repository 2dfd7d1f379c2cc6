"""What a file of embeddings says: instant, without a network and without a GPU."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ml.errors import BadConfig
from ml.events import Event, Finished, Result
from ml.process import Stop

HELP = "R@1, R@5, mAP@R and NMI of the embeddings that `evaluate` kept, classes that lie too near, neighbours, and maps by PCA and UMAP."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("embeddings", type=Path, metavar="E.npz", help="embeddings.npz of an evaluation")
    parser.add_argument("--neighbors", type=int, default=15, metavar="K", help="size of UMAP's neighbourhoods (default: 15)")
    parser.add_argument("--seed", type=int, default=0, help="of k-means and of UMAP (default: 0)")
    parser.add_argument("--out", type=Path, help="where to write everything that is said (default: nowhere)")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.evaluation.embedding.file import Embeddings
    from ml.evaluation.embedding.report import describe, headline, write_description

    if args.neighbors < 2:
        raise BadConfig(f"A neighbourhood of {args.neighbors} videos is none", "Give --neighbors 2 or more; 15 is usual.")
    found = describe(Embeddings.load(args.embeddings), args.neighbors, args.seed)
    if args.out:
        write_description(args.out, found)
    yield Result(headline(found))
    yield Finished(found["measures"])
