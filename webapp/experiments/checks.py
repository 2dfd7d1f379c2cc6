"""The preflight of what is in the forms of a launch now, as far as it can be read; what must be mended is said beside its fields, too."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from django import forms

from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.errors import in_sentences
from webapp.datasets.models import Split
from webapp.experiments.forms.launch import LaunchForm
from webapp.experiments.outlook import of_stream, outlook
from webapp.experiments.preflight import Finding, alike, preflight, worst_first
from webapp.experiments.services.fusions import UnfitWeights, check_weights
from webapp.forms import SchemaForm

Streams = Mapping[str, SchemaForm]
"""The form of each stream by its name, which is empty where there is one stream alone."""


def checks(launch: LaunchForm, streams: Streams) -> list[Finding]:
    """All findings, and what a launch would do unless something is wrong."""
    split = launch.chosen_split
    if split is None:
        return []
    found = _found(split, streams)
    for finding, names in found.items():
        if finding.level == "error":
            _mark(finding, [launch, *(streams[name] for name in names)])
    findings = worst_first(_told(finding, names, streams) for finding, names in found.items())
    if any(has_mistakes(form) for form in (launch, *streams.values())):
        return findings
    return [*findings, *outlook(split, {name: _config(form) for name, form in streams.items()}, findings)]


def mark_weights(fusion: SchemaForm, num_streams: int) -> None:
    """Say beside the weights of a fusion, whose form is valid, if they are not those of so many streams."""
    try:
        check_weights(cast(FusionConfig, fusion.cleaned_config), num_streams)
    except UnfitWeights as error:
        fusion.mark(["weights"], error.sentences)


def has_mistakes(form: forms.Form) -> bool:
    return form.is_bound and not form.is_valid()


def _found(split: Split, streams: Streams) -> dict[Finding, list[str]]:
    """Each finding with the streams that it is of; none that depends on a value that was refused."""
    found: defaultdict[Finding, list[str]] = defaultdict(list)
    for name, form in streams.items():
        refused = form.refused if form.is_bound else set()
        if not form.is_bound or form.readable:
            for finding in (*preflight(split, _config(form)), *alike(split, _config(form))):
                if refused.isdisjoint(finding.fields):
                    found[finding].append(name)
    return found


def _config(form: SchemaForm) -> ExperimentConfig:
    return cast(ExperimentConfig, form.readable if form.is_bound else form.config)


def _mark(finding: Finding, among: list[forms.Form]) -> None:
    for form in among:
        for field in finding.fields:
            if form.is_bound and field in form.fields:
                form.add_error(field, in_sentences(finding.message, finding.advice))


def _told(finding: Finding, names: list[str], streams: Streams) -> Finding:
    """With the name of its stream, where it is not of all of them."""
    return replace(finding, message=of_stream(names[0], finding.message)) if len(names) < len(streams) else finding
