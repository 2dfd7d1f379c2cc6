"""Files that stay out of an import, and why."""

from dataclasses import dataclass, field

from ml.config.data import Refusal
from ml.words import worded


@dataclass
class Refusing:
    """What takes files, and notes those that it can't take."""

    problems: list[Refusal] = field(default_factory=list, kw_only=True)

    def refuse(self, path: str, reason: str, advice: str = "", /, **values: object) -> None:
        """Note why a file stays out, in templates with their values, as an error has them."""
        self.problems.append(Refusal(path=path, reason=worded(reason, values), advice=worded(advice, values)))
