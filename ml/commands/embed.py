"""What a file of embeddings says: without a network and without a GPU, and instant but for the map by UMAP."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from ml.config.embedding import LEAST_VIDEOS, UmapConfig
from ml.config.schema import first_problem
from ml.errors import BadConfig
from ml.events import Event, Finished, Log, Progress, Result, Started
from ml.process import Stop

HELP = "R@1, R@5, mAP@R and NMI of the embeddings that `evaluate` kept, classes that lie too near, neighbours, and maps by PCA and UMAP."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    neighbors, seed = (UmapConfig.model_fields[name] for name in ("neighbors", "seed"))
    parser.add_argument("embeddings", type=Path, metavar="E.npz", help="embeddings.npz of an evaluation")
    parser.add_argument("--umap", action="store_true", help="draw the map by UMAP too; the library compiles itself first")
    parser.add_argument("--neighbors", type=int, metavar="K", help=f"of UMAP. {neighbors.description} (default: {neighbors.default})")
    parser.add_argument("--seed", type=int, help=f"of UMAP. {seed.description} (default: {seed.default})")
    parser.add_argument("--out", type=Path, help="where to write everything that is said (default: nowhere)")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    from ml.evaluation.embedding.file import Embeddings
    from ml.evaluation.embedding.report import describe, headline, write_description

    config, embeddings = config_of(args), Embeddings.load(args.embeddings)
    if config:
        yield Started("embed", 1, "maps")
        yield Progress(0, 1, "maps", "drawing by UMAP, which the first time compiles itself")
    found = describe(embeddings, config)
    if config and found["maps"]["umap"] is None:
        yield Log(f"No map by UMAP: that takes {LEAST_VIDEOS} videos, and not all at one place.")
    if args.out:
        write_description(args.out, found)
    yield Result(headline(found))
    yield Finished(found["measures"])


def config_of(args: argparse.Namespace) -> UmapConfig | None:
    """The map that was asked for, if one was.

    Raises:
        BadConfig: a value out of range, or one for no map.
    """
    given = {name: value for name in UmapConfig.model_fields if (value := getattr(args, name)) is not None}
    if given and not args.umap:
        raise BadConfig("--{option} has no meaning without --umap", "Add --umap, or leave it out.", option=next(iter(given)))
    try:
        return UmapConfig(**given) if args.umap else None
    except ValidationError as error:
        raise BadConfig("--{where}: {problem}, got {given}", "See `embed --help`.", **first_problem(error)) from error
