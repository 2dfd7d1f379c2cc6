"""Studies: grids of configs, and the published rows that stand beside them."""

import json
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from ml.__main__ import main
from ml.commands.catalogue import catalogue
from ml.config.data import DataConfig, FlowInput
from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, TVL1, FlowSpec
from ml.config.models import Backbone
from ml.config.presets import PRESETS
from ml.config.published import AVERAGE, FLOW, PUBLISHED, RGB
from ml.config.reading import read_experiment
from ml.config.studies import STUDIES
from ml.config.study import SEED, SPLIT, Axis, StudyConfig, facts, fused_facts, has_field, knobs, read_values, trials, value_at, with_value
from ml.config.weights import IMAGENET, weights_folder

SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config
LENGTH = "data.input.stack_len"
BEYOND = ("nfmml_pooling", "nfmml_segments")
"""Studies with values that the paper does not have."""


def study(*axes: Axis, streams: tuple[ExperimentConfig, ...] = (SPATIAL, TEMPORAL)) -> StudyConfig:
    return StudyConfig(streams=streams, axes=axes)


def test_a_study_without_axes_is_one_trial() -> None:
    assert [trial.streams for trial in trials(study())] == [(SPATIAL, TEMPORAL)]


def test_the_grid_is_the_product_of_its_axes_and_changes_nothing_else() -> None:
    axes = (Axis(field="training.momentum", values=(0.5, 0.9)), Axis(field=SEED, values=(3, 4, 5)))
    found = trials(study(*axes, streams=(SPATIAL,)))
    expected = [
        SPATIAL.replace(training=SPATIAL.training.replace(momentum=momentum, seed=seed))
        for momentum, seed in product((0.5, 0.9), (3, 4, 5))
    ]
    assert [trial.streams[0] for trial in found] == expected
    assert found[1].settings == {"training.momentum": 0.5} and found[1].repeat == {SEED: 4}


def test_an_axis_moves_only_the_streams_that_have_its_field() -> None:
    found = trials(study(Axis(field=LENGTH, values=(1, 2))))
    assert [trial.streams[0] for trial in found] == [SPATIAL, SPATIAL]
    assert [value_at(trial.streams[1], LENGTH) for trial in found] == [1, 2]
    assert found[0].values_of(0) == {} and found[0].values_of(1) == {LENGTH: 1}


def test_choosing_a_variant_takes_its_defaults_and_the_own_one_keeps_what_it_has() -> None:
    config = ExperimentConfig(data=DataConfig(input=FlowInput(flow=FlowSpec(method=TVL1(tau=0.1)))))
    kind = "data.input.flow.method.kind"
    other = with_value(config, kind, "dis").data.input
    assert isinstance(other, FlowInput) and other.flow.method == DIS()
    assert with_value(config, kind, "tv_l1") == config


def test_values_are_spelled_as_the_config_spells_them_each_once() -> None:
    assert read_values((SPATIAL, TEMPORAL), LENGTH, ["1", 5, "5"]) == (1, 5)
    assert read_values((SPATIAL,), "training.learning_rate", ["1e-2", "0.1"]) == (0.01, 0.1)
    assert read_values((SPATIAL,), "data.flip", ["yes", "false"]) == (True, False)
    assert read_values((SPATIAL,), "training.milestones", [["3", "5"]]) == ([3, 5],)


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ((Axis(field="training.speed", values=(1,)),), "no stream has a field training.speed"),
        ((Axis(field="training", values=(1,)),), "no stream has a field training"),
        ((Axis(field="training.momentum", values=(1.5,)),), "less than 1"),
        ((Axis(field=SEED, values=("1",)),), "spelled as its config"),
        ((Axis(field=SEED, values=(1, 1)),), "must all differ"),
        ((Axis(field=SEED, values=(1,)), Axis(field=SEED, values=(2,))), "one axis only"),
    ],
)
def test_an_axis_that_does_not_fit_is_refused(axes: tuple[Axis, ...], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        study(*axes)


def test_a_longer_axis_keeps_its_values_and_a_new_one_begins_with_what_holds_now() -> None:
    first = study().extended(SEED, [1, 2])
    assert first.axis(SEED) == Axis(field=SEED, values=(0, 1, 2))
    assert first.extended(SEED, [2, 7]).axis(SEED) == Axis(field=SEED, values=(0, 1, 2, 7))
    assert study().extended(LENGTH, [3]).axis(LENGTH) == Axis(field=LENGTH, values=(5, 3))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_knob_of_every_preset_can_be_an_axis_with_the_value_it_has(preset: str) -> None:
    config = PRESETS[preset].config
    found = list(knobs(config))
    assert len({knob.field for knob in found}) == len(found) > 20
    for knob in found:
        assert has_field(config, knob.field)
        assert with_value(config, knob.field, value_at(config, knob.field)) == config


def test_facts_of_several_configs_are_those_nobody_disputes() -> None:
    both = facts(SPATIAL, TEMPORAL)
    assert both["model.backbone"] == "resnet10t" and both[LENGTH] == 5
    assert "data.input.modality" not in both


@pytest.mark.parametrize("key", PUBLISHED)
def test_rows_of_a_published_table_name_fields_that_exist_and_no_two_are_one(key: str) -> None:
    table = PUBLISHED[key]
    with_settings = [row for row in table.rows if row.settings]
    for row in with_settings:
        assert ("fusion.method" in row.settings) != ("data.input.modality" in row.settings)
        assert sum(row.describes({**row.unlike, **other.settings}) for other in with_settings if other is not row) == 0
        assert all(value is None or 0 < value < 100 for value in row.values.values())


@pytest.mark.parametrize("key", STUDIES)
def test_what_comes_of_a_papers_study_stands_beside_a_row_of_its_table(key: str) -> None:
    preset = STUDIES[key]
    rows = PUBLISHED[preset.published].rows
    systems = [fused_facts(trial.streams, fusion) for trial in trials(preset.config) for fusion in preset.config.fusions] or [
        facts(stream) for trial in trials(preset.config) for stream in trial.streams
    ]
    described = [[row.label for row in rows if row.describes(system)] for system in systems]
    assert all(len(labels) <= 1 for labels in described)
    if key not in BEYOND:
        assert all(described)
    assert any(described)


def test_rows_without_settings_describe_nothing() -> None:
    table = PUBLISHED["two_stream_4"]
    assert [row.label for row in table.rows if row.describes({**facts(TEMPORAL)})] == ["Temporal stream ConvNet"]
    assert table.datasets == ("UCF101", "HMDB51") and FLOW != RGB and AVERAGE["fusion.method"] == FusionConfig().method


def test_splits_and_seeds_are_no_settings() -> None:
    repeated = study(Axis(field=SPLIT, values=("1", "2")), Axis(field=SEED, values=(0, 1)))
    assert repeated.varied == () and len(trials(repeated)) == 4


def test_the_command_writes_the_config_of_every_run_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = study(Axis(field=LENGTH, values=(1, 2)), Axis(field=SEED, values=(0, 1)))
    (tmp_path / "study.json").write_text(config.model_dump_json())
    assert main(["study", str(tmp_path / "study.json"), "--out", str(tmp_path / "configs"), "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]
    assert [point["values"] for point in points] == [{LENGTH: length, SEED: seed} for length, seed in product((1, 2), (0, 1))]
    written = {path.name: read_experiment(path.read_bytes(), path.name) for path in (tmp_path / "configs").iterdir()}
    assert len(written) == 2 + 4  # the spatial stream has no stack length
    for point, trial in zip(points, trials(config), strict=True):
        assert tuple(written[name] for name in point["configs"]) == trial.streams


@pytest.mark.parametrize(("text", "words"), [("{", "Invalid JSON"), ('{"streams": []}', "streams"), (None, "is not a file")])
def test_a_file_that_is_no_study_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "study.json").write_text(text)
    assert main(["study", str(tmp_path / "study.json"), "--out", str(tmp_path)]) == 1
    assert words in capsys.readouterr().out


def test_the_catalogue_says_where_weights_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights_folder().mkdir(parents=True)
    (weights_folder() / IMAGENET["vgg16"].file).touch()
    found = catalogue()["weights"]
    assert found["vgg16"] == str(weights_folder() / IMAGENET["vgg16"].file) and found["resnet18"] is None
    assert set(found) == set(get_args(Backbone))


def test_the_catalogue_has_the_studies_as_the_command_reads_them() -> None:
    found = catalogue()["studies"]
    assert {name: StudyConfig.model_validate_json(json.dumps(preset["config"])) for name, preset in found.items()} == {
        name: preset.config for name, preset in STUDIES.items()
    }


def test_the_command_writes_the_runs_of_every_fold_that_an_svm_wants(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    svm = FusionConfig(method="svm", fit="held_out_folds", folds=3)
    config = StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(), svm))
    (tmp_path / "study.json").write_text(config.model_dump_json())
    assert main(["study", str(tmp_path / "study.json"), "--out", str(tmp_path / "configs"), "--json"]) == 0
    (point,) = json.loads(capsys.readouterr().out)["points"]
    written = {path.name: read_experiment(path.read_bytes(), path.name) for path in (tmp_path / "configs").iterdir()}
    assert len(written) == 2 * (1 + 3)
    for number, names in enumerate(point["folds"]["3"], start=1):
        assert [written[name].data.held_out_fold for name in names] == [(number, 3), (number, 3)]
        assert [written[name].data.input for name in names] == [SPATIAL.data.input, TEMPORAL.data.input]
