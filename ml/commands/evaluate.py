"""Scores of a subset by a run, under a protocol that stands beside every number."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from ml.evaluation.protocol import parse_protocol
from ml.events import Event, Finished, Result
from ml.process import Stop

HELP = "Score every video of a subset with a trained run; writes scores.npz and results.json, embeddings.npz and embedding.json."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of a trained run")
    parser.add_argument("--subset", choices=("train", "validation", "test"), default="test", help="which videos (default: test)")
    add_protocol(parser)
    parser.add_argument("--dataset", type=Path, help="dataset folder: which one, where the run learnt several, or where it is now")
    parser.add_argument("--out", type=Path, help="F.npz or a folder (default: RUN/evaluations/SUBSET-PROTOCOL)")


def add_protocol(parser: argparse.ArgumentParser) -> None:
    """`--protocol`, the same for every command that tests."""
    help_text = "FRAMESxCROPS, for example 25x10, 5x1:logits or 25xfull (whole frames), or the protocol as JSON (default: the run's own)"
    parser.add_argument("--protocol", metavar="P", help=help_text)


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:
    from ml.evaluation.embedding.report import write_embeddings
    from ml.evaluation.evaluator import evaluate
    from ml.evaluation.results import files_of, headline, write_results
    from ml.trained import load_run
    from ml.training.sources import known_by

    trained = load_run(args.run, head=known_by(args.dataset) if args.dataset else None)
    protocol = parse_protocol(args.protocol) if args.protocol else trained.config.evaluation
    dataset = args.dataset or Path(trained.config.data.dataset)
    out = args.out or args.run / "evaluations" / f"{args.subset}-{protocol.short().replace(':', '-')}"
    evaluated = yield from evaluate(trained, args.run, dataset, args.subset, protocol, stop)
    if evaluated is None:
        return
    found = write_results(out, evaluated.scores)
    write_embeddings(out, evaluated.embeddings)
    yield Result({**found, "scores": str(files_of(out)[0])})
    yield Finished(headline(found))
