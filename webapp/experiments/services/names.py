"""Names that lists can tell apart."""

from itertools import chain, count

from webapp.datasets.models import Dataset
from webapp.experiments.models import Fusion, Run

LONGEST = 120


def unused_name(kind: type[Run | Fusion], dataset: Dataset, name: str) -> str:
    """The name, or the first of `name (2)`, `name (3)`, … that nothing of the kind on this dataset has."""
    begin = name[: LONGEST - len(" (999)")]
    taken = set(kind.objects.filter(dataset=dataset, name__startswith=begin).values_list("name", flat=True))
    return next(one for one in chain([name], (f"{begin} ({number})" for number in count(2))) if one not in taken)
