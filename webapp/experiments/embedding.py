"""What an evaluation says of its embeddings, read once into named fields. Fractions are 0…1; None where a measure has no meaning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ml.config.embedding import ClassPair, can_draw_umap
from webapp.charts.palette import CYCLE
from webapp.experiments.results import ProtocolText, protocol_text

MEASURES = {"recall_at_1": "R@1", "recall_at_5": "R@5", "map_at_r": "mAP@R", "nmi": "NMI"}
MAPS = ("umap", "pca")


@dataclass(frozen=True)
class Place:
    """A video on a map; classes by index."""

    id: int
    path: str
    true: int
    predicted: int
    x: float
    y: float

    @property
    def is_correct(self) -> bool:
        return self.true == self.predicted


@dataclass(frozen=True)
class Measure:
    """A number with what it is called and how it is defined."""

    title: str
    value: float | None
    definition: str


@dataclass(frozen=True)
class Embedding:
    """`embedding.json`, typed. Videos are in the order of the file: `labels`, `neighbors` and maps speak of places in it."""

    measures: tuple[Measure, ...]
    definitions: dict[str, str]
    facts: dict[str, Any]
    space: dict[str, Any]
    protocol: ProtocolText
    classes: tuple[str, ...]
    videos: tuple[str, ...]
    labels: tuple[int, ...]
    neighbors: list[list[int]]
    distances: list[list[float]]
    pairs: tuple[ClassPair, ...]
    num_too_near: int
    num_pairs: int
    maps: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, said: dict[str, Any]) -> Self:
        return cls(
            measures=tuple(Measure(title, said["measures"][name], said["definitions"][name]) for name, title in MEASURES.items()),
            definitions=said["definitions"],
            facts=said["facts"],
            space=said["space"],
            protocol=protocol_text(said["protocol"]),
            classes=tuple(said["classes"]),
            videos=tuple(said["videos"]),
            labels=tuple(said["labels"]),
            neighbors=said["neighbors"],
            distances=said["distances"],
            pairs=tuple(ClassPair.model_validate(pair) for pair in said["pairs"]),
            num_too_near=said["too_near"]["count"],
            num_pairs=said["too_near"]["of"],
            maps={name: said["maps"][name] for name in MAPS if said["maps"][name]},
        )

    @property
    def present(self) -> list[int]:
        """Classes that have videos here."""
        return sorted(set(self.labels))

    @property
    def can_draw_umap(self) -> bool:
        return can_draw_umap(self.facts)

    @property
    def too_near_by_few(self) -> bool:
        """Whether a verdict that is listed stands on few videos."""
        return any(pair.has_few_videos for pair in self.too_near)

    @property
    def too_near(self) -> list[ClassPair]:
        """Those that are listed."""
        return [pair for pair in self.pairs if pair.is_too_near]

    def first_coloured(self) -> list[int]:
        """Who is coloured before anybody has chosen: all classes while there are colours enough, else those of the nearest pairs."""
        if len(self.present) <= len(CYCLE):
            return self.present
        near = [index for pair in self.pairs for index in (pair.a, pair.b)] or self.present
        return list(dict.fromkeys(near))[: len(CYCLE)]

    def notes(self) -> Iterator[str]:
        """What a reader of the numbers must know."""
        facts = self.facts
        if facts["all_equal"]:
            yield _("All embeddings are equal: distances say nothing, and there is nothing to draw.")
        elif facts["copies"]:
            words = ngettext(
                "%d video lies exactly where another one does.", "%d videos lie exactly where another one does.", facts["copies"]
            )
            yield words % facts["copies"]
        if facts["classes"] == 1:
            yield _("All videos are of one class: every neighbour is right, and there are no clusters to find.")
        if facts["singles"]:
            words = ngettext(
                "%d class has one video only: it has no other to find, and does not count.",
                "%d classes have one video only: they have no other to find, and do not count.",
                facts["singles"],
            )
            yield words % facts["singles"]
        if not self.can_draw_umap and not facts["all_equal"]:
            yield _("Too few videos for UMAP: the map is by principal components.")


def coloured(embedding: Embedding, chosen: Sequence[int]) -> list[int]:
    """The classes that get a colour of their own: those chosen, as many as there are colours."""
    return list(chosen)[: len(CYCLE)] or embedding.first_coloured()
