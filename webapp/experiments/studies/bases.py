"""What a new study starts from: a run, a fusion with its streams, or a study of a paper."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from ml.config.studies import STUDIES
from ml.config.study import StudyConfig
from webapp.datasets.models import Split
from webapp.datasets.selectors import AnyUser
from webapp.experiments.heads import heads_of, seen_from
from webapp.experiments.models import Fusion, Run
from webapp.experiments.selectors.access import visible_fusions, visible_runs


@dataclass(frozen=True)
class Base:
    """`runs` stand in the grid already, where it has a place for them; `split` is theirs.

    With `is_multi_task` its temporal streams are to learn further datasets, which are still to be chosen.
    """

    title: str
    grid: StudyConfig
    runs: tuple[Run, ...] = ()
    split: Split | None = None
    is_multi_task: bool = False


def base_of(user: AnyUser, query: Mapping[str, str]) -> Base:
    """`?run=3`, `?fusion=4` or `?preset=temporal_length`.

    Raises:
        Http404: none of them, or not this user's to see.
    """
    if preset := STUDIES.get(query.get("preset", "")):
        return Base(_(preset.title), preset.config, is_multi_task=preset.is_multi_task)
    if (run := query.get("run", "")).isdecimal():
        return _of_run(get_object_or_404(visible_runs(user), pk=run))
    if (fusion := query.get("fusion", "")).isdecimal():
        return _of_fusion(get_object_or_404(visible_fusions(user), pk=fusion))
    raise Http404


def _of_run(run: Run) -> Base:
    return Base(run.name, StudyConfig(streams=(run.experiment,)), (run,), run.split)


def _of_fusion(fusion: Fusion) -> Base:
    heads = heads_of(fusion)
    grid = StudyConfig(streams=tuple(map(seen_from, heads)), fusions=(fusion.fusion,))
    return Base(fusion.name, grid, tuple(head.run for head in heads), fusion.split)
