"""What the rows of a list leave open, or say in two ways."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ml.config.data import Finding, Subset
from ml.video.layouts.lists import some
from ml.video.layouts.plan import Plan
from ml.video.layouts.rows import Row
from ml.video.members import Member
from ml.words import Words, counted


def contradictions(taken: Mapping[str, Row], others: Sequence[tuple[str, Row]]) -> Iterator[Finding]:
    """Of videos that several rows name, those of which they say different things; `taken` is what counts."""
    labels = [(name, row) for name, row in others if row.label != taken[name].label]
    if labels:
        message = counted(
            "{count} row gives a video a second label; the first was taken: {rows}",
            "{count} rows give a video a second label; the first was taken: {rows}",
            len(labels),
            rows=_rows_of(labels, taken),
        )
        yield _note(message, labels)
    subsets = [(name, row) for name, row in others if row.subset and row.subset.lower() != taken[name].subset.lower()]
    if subsets:
        message = counted(
            "{count} row gives a video a second subset; the first was taken: {rows}",
            "{count} rows give a video a second subset; the first was taken: {rows}",
            len(subsets),
            rows=_rows_of(subsets, taken),
        )
        yield _note(message, subsets)


def _note(message: Words, others: Iterable[tuple[str, Row]]) -> Finding:
    return Finding(kind="note", message=message, videos=tuple(name for name, _ in others))


def _rows_of(others: Iterable[tuple[str, Row]], taken: Mapping[str, Row]) -> str:
    return some(f"{name} ({taken[name].number}, {row.number})" for name, row in others)


def unlisted(plan: Plan, videos: Iterable[Member], list_name: str, subsets: Mapping[str, Subset]) -> list[Finding]:
    """Videos that are in no row, and those whose rows name no subset although others do."""
    taken = {item.member.name for item in plan.items}
    outside = tuple(member.name for member in videos if member.name not in taken)
    undecided = tuple(sorted(taken - subsets.keys())) if subsets else ()
    findings = []
    if outside:
        findings.append(
            Finding(
                kind="unlisted",
                message=Words("{count} videos are in no row of {list_name} and stay out", count=len(outside), list_name=list_name),
                videos=outside,
            )
        )
    if undecided:
        message = Words(
            "{count} videos have no subset in {list_name}: they are neither trained on nor tested",
            count=len(undecided),
            list_name=list_name,
        )
        findings.append(Finding(kind="unlisted", message=message, videos=undecided))
    return findings
