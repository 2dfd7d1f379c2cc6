"""Streams → one score."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from ml.config.evaluation import FusionConfig
from ml.config.schema import first_problem
from ml.errors import BadConfig, BadScores
from ml.events import Event, Finished, Result, Started
from ml.process import Stop

if TYPE_CHECKING:
    from ml.evaluation.scores import Scores

HELP = "Fuse the scores of several streams on the same videos: average, weighted sum, or a multi-class linear SVM."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    fields = FusionConfig.model_fields
    parser.add_argument("members", nargs="+", type=Path, metavar="A.npz", help="a score file a stream, of the same videos")
    parser.add_argument("--method", choices=("average", "weighted", "svm"), default="average", help=fields["method"].description)
    parser.add_argument("--weights", nargs="+", default=(), metavar="W", help="one a stream, in order: 1 1.5 or 1,1.5 (weighted)")
    normalize = f"{fields['normalize'].description} Default: softmax, for the SVM l2."
    parser.add_argument("--normalize", choices=("none", "softmax", "l2"), help=normalize)
    parser.add_argument("--svm-c", type=float, default=fields["svm_c"].default, metavar="C", help=fields["svm_c"].description)
    fit = (
        "what the SVM is fitted on: scores of other videos, one file a stream; once for each fold, where runs without a fold each "
        "(data.validation_folds) scored the videos they had not learnt (evaluate --subset validation)"
    )
    parser.add_argument("--fit", nargs="+", type=Path, action="append", default=[], metavar="A_fit.npz", help=fit)
    parser.add_argument("--out", type=Path, required=True, help="F.npz, or a folder for scores.npz and results.json")


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - done in a moment
    from ml.evaluation.fusion import fuse
    from ml.evaluation.results import files_of, headline, write_results
    from ml.evaluation.scores import Scores

    config = config_of(args)
    yield Started("fuse", len(args.members), "streams")
    fused = fuse([Scores.load(path) for path in args.members], config, fit_of(args))
    found = write_results(args.out, fused)
    yield Result({**found, "scores": str(files_of(args.out)[0])})
    yield Finished(headline(found))


def fit_of(args: argparse.Namespace) -> "list[Scores]":
    """The scores to fit on, one a stream: those of all folds joined.

    Raises:
        BadScores: not one file a stream in every fold, or folds that do not belong together.
    """
    from ml.evaluation.fitting import joined
    from ml.evaluation.scores import Scores

    for files in args.fit:
        if len(files) != len(args.members):
            raise BadScores(
                "{files} files to fit on for {streams} streams",
                "Give one a stream, in the same order.",
                files=len(files),
                streams=len(args.members),
            )
    return [joined([Scores.load(path) for path in stream]) for stream in zip(*args.fit, strict=True)]


def config_of(args: argparse.Namespace) -> FusionConfig:
    """The arguments as a fusion.

    Raises:
        BadConfig: a value out of range, or a fit that the method does not know.
    """
    if args.fit and args.method != "svm":
        raise BadConfig("--fit has no meaning for the method “{method}”", "Leave it out, or choose --method svm.", method=args.method)
    normalize = args.normalize or ("l2" if args.method == "svm" else "softmax")
    try:
        weights = tuple(float(weight) for text in args.weights for weight in text.split(",") if weight.strip())
        return FusionConfig(method=args.method, normalize=normalize, weights=weights, svm_c=args.svm_c)
    except ValidationError as error:
        raise BadConfig("{where}: {problem}, got {given}", "See `fuse --help`.", **first_problem(error)) from error
    except ValueError as error:
        raise BadConfig(
            "The weights {weights} are no numbers", "Write them like 1 1.5 or 1,1.5.", weights=" ".join(args.weights)
        ) from error
