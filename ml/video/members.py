"""What the sources of an import hold: named files that can be read, and those that can't be taken."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from ml.video.refusing import Refusing


@dataclass(frozen=True)
class Member:
    """One file. `name` is relative, with `/`; it is shown and matched against lists, never opened.

    `place` is where it begins in its archive, if that is read fastest from front to back.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    compressed_size: int = 0
    place: int = 0


@dataclass
class Members(Refusing):
    """The files of all sources together; a name is taken once."""

    files: dict[str, Member] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    num_ignored: int = 0

    def add(self, member: Member) -> None:
        """Take a file, or note that its name is taken."""
        if member.name in self.files:
            self.refuse(member.name, "A second file has this name; the first was taken", "Rename one of the two and import it again.")
        else:
            self.files[member.name] = member
