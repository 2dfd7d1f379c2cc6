"""What is in these sources? Reads names and lists, writes nothing, decodes nothing."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from ml.config.data import Finding
from ml.config.partition import Clip, generate_split
from ml.events import Event, Finished, Result
from ml.process import Stop
from ml.video.findings import class_findings
from ml.video.layouts import LAYOUTS, recognise
from ml.video.layouts.plan import Item, Plan
from ml.video.sources import Source, open_sources

HELP = "Recognise the layout of a dataset: classes, splits, groups, problems. Writes nothing."
SOURCE_HELP = (
    "a zip or tar, a folder, a video, or a CSV or official list; several are one dataset together. PATH::NAME says what a file is called "
    "when it lies under another name, as an upload does: what follows the first :: is shown and matched, never opened"
)
NUM_EXAMPLES = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """What inspect and ingest must be told alike, so that a preview shows what an import does."""
    parser.add_argument("sources", nargs="+", type=Source.parse, metavar="SRC", help=SOURCE_HELP)
    parser.add_argument("--label", default="", type=one_name, help="give every video this label instead of recognising a layout")
    parser.add_argument("--group", default="", type=one_name, help="with --label: the group of every video (that of its own name)")
    parser.add_argument("--test-fraction", type=fraction, default=0.3, help="share of test videos when no split comes with the data (0.3)")
    parser.add_argument("--seed", type=int, default=0, help="seed of that split (0)")


def one_name(text: str) -> str:
    """A label or a group, trimmed."""
    if len(text.strip()) > 200:
        raise argparse.ArgumentTypeError("at most 200 characters")
    return text.strip()


def fraction(text: str) -> float:
    """A share between 0 and 0.9."""
    value = float(text)
    if not 0 <= value <= 0.9:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 0.9")
    return value


def run(args: argparse.Namespace, stop: Stop) -> Iterator[Event]:  # noqa: ARG001 - the signature of every command
    with open_sources(args.sources) as members:
        plan = recognise(members, args.label, args.group)
        yield Result(preview(plan, args.sources, args.test_fraction, args.seed))
    yield Finished()


def preview(plan: Plan, sources: Sequence[Source], test_fraction: float, seed: int) -> dict[str, Any]:
    """The plan as JSON: counts and examples, no paths of this machine."""
    counts = Counter(item.label for item in plan.items)
    findings = plan.findings + class_findings(plan.classes, set(counts))
    return {
        "name": sources[0].name.rpartition(".")[0].removesuffix(".tar") or sources[0].name,
        "layout": plan.layout,
        "layout_title": LAYOUTS[plan.layout].TITLE,
        "num_videos": len(plan.items),
        "classes": [{"name": name, "videos": counts[name]} for name in plan.classes if counts[name]],
        "splits": _splits(plan, test_fraction, seed),
        "groups": len({item.group for item in plan.items if item.group}),
        "ungrouped": sum(not item.group for item in plan.items),
        "problems": [problem.model_dump() for problem in plan.problems],
        "findings": [_short(finding) for finding in findings],
        "examples": [item.member.name for item in _spread(plan.items)],
        "total_bytes": sum(item.member.size for item in plan.items),
    }


def _splits(plan: Plan, test_fraction: float, seed: int) -> list[dict[str, Any]]:
    """The splits of the data; else the one that would be made, as far as it can be known before contents are compared."""
    if plan.splits:
        return [_counted(split.name, split.origin, Counter(split.subsets.values())) for split in plan.splits]
    clips = [Clip(item.member.name, item.label, item.group) for item in plan.items]
    return [_counted("1", "generated", Counter(generate_split(clips, test_fraction, seed).values()))]


def _counted(name: str, origin: str, counts: Counter[Any]) -> dict[str, Any]:
    return {"name": name, "origin": origin, **{subset: counts[subset] for subset in ("train", "validation", "test")}}


def _short(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind, "message": finding.message}


def _spread(items: list[Item]) -> list[Item]:
    """A few items from all over the list."""
    step = max(1, len(items) // NUM_EXAMPLES)
    return items[::step][:NUM_EXAMPLES]
