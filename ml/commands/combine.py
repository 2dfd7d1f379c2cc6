"""A dataset enlarged by classes of another one."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from ml.config.combining import ClassMap, Shared, propose
from ml.config.data import Manifest
from ml.config.schema import first_problem
from ml.errors import BadConfig
from ml.events import Event, Finished, Result
from ml.process import Stop
from ml.video.combining import Uncombinable, combine
from ml.video.manifest import load_manifest, save_manifest, store_of
from ml.words import Words

HELP = "Add classes of a second dataset to the training videos of a first one. Without --out: print the class map that the names propose."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="FIRST", help="dataset whose classes and tests stay as they are")
    parser.add_argument("second", type=Path, metavar="SECOND", help="dataset whose videos are added; both share one media store")
    parser.add_argument("--map", type=Path, metavar="FILE", help="class map in JSON (default: what the names propose)")
    parser.add_argument("--shared", choices=get_args(Shared), default="left_out", help="proposed for a class of both (left_out)")
    parser.add_argument("--name", default="", help="name of the dataset (FIRST + SECOND)")
    parser.add_argument("--out", type=Path, metavar="DATASET", help="folder of the combined dataset; its manifest is replaced")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - over in seconds
    first, second = load_manifest(args.first), load_manifest(args.second)
    class_map = _read(args.map) if args.map else propose(first.classes, second.classes, args.shared)
    if args.out is None:
        yield Result(class_map.model_dump())
        yield Finished()
        return
    store = store_of(args.first, first).root
    if store != store_of(args.second, second).root:
        raise Uncombinable("The media of these datasets lie in different stores", "Import both with the same --store.")
    combined = combine(first, second, class_map, args.name or f"{first.name} + {second.name}")
    save_manifest(args.out, combined.replace(store=str(store)))
    summary = _summary(first, combined)
    yield Result(summary)
    yield Finished(summary)


def _summary(first: Manifest, combined: Manifest) -> dict[str, int]:
    return {
        "videos": len(combined.videos),
        "added_videos": len(combined.videos) - len(first.videos),
        "classes": len(combined.classes),
        "added_classes": len(combined.classes) - len(first.classes),
        "leaks": sum(finding.kind == "leak" for finding in combined.findings),
    }


def _read(path: Path) -> ClassMap:
    try:
        return ClassMap.model_validate_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError) as error:
        raise BadConfig("{path} is not a file", "Give the path of a class map in JSON.", path=path) from error
    except ValidationError as error:
        advice = "Without --out, `ml combine` prints a map to start from."
        raise BadConfig("{path}: {where}: {problem}", advice, path=path, **first_problem(error, Words("the map"))) from error
