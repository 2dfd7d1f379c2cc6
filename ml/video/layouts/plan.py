"""What a layout makes of the files: which videos, in which classes, groups and subsets."""

from dataclasses import dataclass, field
from typing import Literal

from ml.config.data import Finding, Subset
from ml.video.members import Member
from ml.video.refusing import Refusing

SUBSETS: dict[str, Subset] = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validate": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""What lists and folders call a subset, in lower case."""


@dataclass(frozen=True)
class Item:
    """A video to be imported."""

    member: Member
    label: str
    group: str = ""


@dataclass(frozen=True)
class PlannedSplit:
    """A partition that came with the data: member name → subset."""

    name: str
    origin: Literal["official", "csv", "folder"]
    subsets: dict[str, Subset]


@dataclass
class Plan(Refusing):
    """`classes` in the order of the score vector; `lists` are the files that were read as lists, and so are no problem."""

    layout: str
    classes: tuple[str, ...]
    items: list[Item]
    splits: list[PlannedSplit] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lists: frozenset[str] = frozenset()
