"""Forms made from schemas: nothing is lost on the way to the page and back, and every error says what and where."""

from typing import Any

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string

from ml.commands.catalogue import SCHEMAS
from ml.config.data import DataConfig, FlowInput, FrameSpec, RGBInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, TVL1, Farneback, FlowSpec
from ml.config.losses import ProxyAnchor
from ml.config.models import NFMML, TSN, TwoStream
from ml.config.presets import PRESETS
from ml.config.schema import Schema
from ml.config.training import TrainingConfig
from webapp.forms import SchemaForm, schema_form
from webapp.schema_layout import initial_of

ALL_SCHEMAS = [*SCHEMAS.values(), TwoStream, TSN, NFMML, DataConfig, RGBInput, FlowInput, FrameSpec, TrainingConfig, TVL1, Farneback, DIS]
PAPER_FLOW = PRESETS["paper_temporal"].config


def posted(form: SchemaForm) -> QueryDict:
    """What a browser without JavaScript sends for a form as it is shown."""
    data = QueryDict(mutable=True)
    for bound in form:
        value = bound.field.prepare_value(bound.initial) if bound.widget_type != "checkbox" else ("on" if bound.initial else None)
        if value is not None:
            data[bound.html_name] = str(value)
    return data


def bound_with(schema: type[Schema], config: Schema | None = None, fixed: dict[str, Any] | None = None, **changes: Any) -> SchemaForm:
    kind = schema_form(schema, fixed=fixed)
    data = posted(kind(config=config))
    for name, value in changes.items():
        data[name.replace("__", ".")] = value
    return kind(data)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_the_way_through_its_form(name: str) -> None:
    config = PRESETS[name].config
    form = bound_with(ExperimentConfig, config)
    assert form.is_valid(), form.errors
    assert form.cleaned_config == config


@pytest.mark.parametrize("method", [TVL1(tau=0.2), Farneback(poly_n=7), DIS(preset="fast")])
def test_every_flow_method_survives_the_way_through_its_form(method: TVL1 | Farneback | DIS) -> None:
    config = FlowSpec(method=method, encoding="bound", bound=15.5)
    form = bound_with(FlowSpec, config)
    assert form.is_valid() and form.cleaned_config == config


def test_a_number_has_the_name_that_its_own_knob_gives_it() -> None:
    crops, neighbours = schema_form(Protocol)()["crops"], schema_form(FlowSpec)()["method.farneback.poly_n"]
    assert [str(name) for _value, name in crops.field.choices][1] == "5: corners and centre"  # type: ignore[attr-defined]
    assert [str(name) for _value, name in neighbours.field.choices] == ["5", "7"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("schema", ALL_SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_schema_gets_a_form_whose_defaults_are_the_schemas(schema: type[Schema]) -> None:
    form = bound_with(schema)
    assert form.is_valid() and form.cleaned_config == schema()


@pytest.mark.parametrize("schema", ALL_SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_field_is_drawn_once_with_its_label_and_help(schema: type[Schema]) -> None:
    form = schema_form(schema)()
    html = render_to_string("forms/_section.html", {"section": form.root})
    for bound in form:
        assert html.count(f'name="{bound.html_name}"') == 1
        assert html.count(f'for="{bound.id_for_label}"') == 1
        assert f'aria-describedby="{bound.auto_id}_helptext"' in html and f'id="{bound.auto_id}_helptext"' in html


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("model.two_stream.dropout", "1.5", "less than 1; you gave 1.5"),
        ("training.momentum", "-0.1", "at least 0; you gave -0.1"),
        ("training.learning_rate", "0", "more than 0; you gave 0"),
        ("training.epochs", "2.5", "whole number; you gave “2.5”"),
        ("training.epochs", "", "a number; it is empty"),
        ("training.learning_rate", "fast", "a number; you gave “fast”"),
        ("training.milestones", "5, x", "whole number; you gave “x”"),
        ("data.input.flow.stack_len", "26", "at most 25; you gave 26"),
        ("data.input.flow.flow.method.brox.alpha", "nan", "finite number; you gave nan"),
        ("data.input.modality", "sound", "sound is not one of the available choices"),
        ("data.input.modality", "", "Choose one of the values"),
        ("evaluation.crops", "7", "7 is not one of the available choices"),
    ],
)
def test_a_bad_value_is_refused_at_its_field_in_plain_words(field: str, value: str, words: str) -> None:
    form = bound_with(ExperimentConfig, PAPER_FLOW, None, **{field: value})
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]


def test_errors_are_drawn_beside_their_field_and_announced() -> None:
    form = bound_with(TrainingConfig, epochs="0")
    html = render_to_string("forms/_section.html", {"section": form.root})
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_epochs_helptext id_epochs_error"' in html
    assert '<span class="error" id="id_epochs_error" role="alert">Must be at least 1; you gave 0.' in html


def test_values_of_a_variant_that_was_not_chosen_are_ignored() -> None:
    form = bound_with(ExperimentConfig, data__input__modality="rgb", data__input__flow__stack_len="9999")
    assert form.is_valid(), form.errors
    assert isinstance(form.cleaned_config, ExperimentConfig) and form.cleaned_config.data.input == RGBInput()


def test_another_model_swaps_the_fields_and_so_does_its_loss() -> None:
    chosen: dict[str, Any] = {"model__kind": "nfmml", "model__nfmml__loss__kind": "proxy_anchor", "training__sampling": "balanced"}
    form = bound_with(ExperimentConfig, **chosen, model__nfmml__loss__proxy_anchor__alpha="16", model__two_stream__dropout="9")
    assert form.is_valid(), form.errors
    assert isinstance(form.cleaned_config, ExperimentConfig)
    assert form.cleaned_config.model == NFMML(loss=ProxyAnchor(alpha=16))


@pytest.mark.parametrize(
    ("values", "words", "fields"),
    [
        ({"model__kind": "nfmml"}, "choose class-balanced sampling", {"model.kind", "training.sampling"}),
        (
            {"model__kind": "nfmml", "training__sampling": "balanced", "training__micro_batch": "8"},
            "the whole batch at once",
            {"training.devices", "training.micro_batch"},
        ),
        ({"data__num_segments": "3"}, "sees one snippet of a video", {"model.kind", "data.num_segments"}),
    ],
)
def test_values_that_do_not_fit_each_other_are_said_at_each_of_them(values: dict[str, Any], words: str, fields: set[str]) -> None:
    form = bound_with(ExperimentConfig, **values)
    assert not form.is_valid()
    assert set(form.errors) == fields and all(words in form.errors[field][0] for field in fields)


def test_a_conflict_is_said_along_with_a_value_out_of_range() -> None:
    form = bound_with(ExperimentConfig, data__num_segments="3", training__epochs="0", evaluation__crops="7")
    assert not form.is_valid()
    assert set(form.errors) == {"training.epochs", "evaluation.crops", "model.kind", "data.num_segments"}


def test_nothing_is_said_of_how_a_value_out_of_range_would_fit() -> None:
    form = bound_with(ExperimentConfig, data__num_segments="30")
    assert not form.is_valid() and list(form.errors) == ["data.num_segments"]


def test_several_conflicts_are_all_said_at_once() -> None:
    form = bound_with(ExperimentConfig, data__num_segments="3", data__validation_folds="1")
    assert {"data.num_segments", "data.validation_folds", "data.validation_fold"} < set(form.errors)


def test_of_a_form_with_mistakes_a_config_can_be_read_that_has_the_first_values_in_their_place() -> None:
    form = bound_with(ExperimentConfig, training__epochs="0", training__batch_size="8")
    assert not form.is_valid() and isinstance(form.readable, ExperimentConfig)
    assert (form.readable.training.epochs, form.readable.training.batch_size) == (ExperimentConfig().training.epochs, 8)


def test_each_variant_is_a_fieldset_named_by_its_select() -> None:
    html = render_to_string("forms/_section.html", {"section": schema_form(FlowSpec)(prefix="flow").root})
    assert 'name="flow-method.kind" data-variants' in html
    assert [f'data-variant="flow-method.kind:{kind}"' in html for kind in ("tv_l1", "farneback", "dis")] == [True] * 3


def test_fixed_values_are_neither_shown_nor_accepted() -> None:
    fixed = {"data.split": "2", "data.dataset": ""}
    form = bound_with(ExperimentConfig, fixed=fixed, data__split="3")
    assert "data.split" not in form.fields
    assert form.is_valid() and isinstance(form.cleaned_config, ExperimentConfig) and form.cleaned_config.data.split == "2"


def test_a_fixed_discriminator_leaves_its_variant_alone() -> None:
    form = bound_with(ExperimentConfig, PAPER_FLOW, {"data.input.modality": "flow"})
    assert "data.input.modality" not in form.fields and "data.input.flow.stack_len" in form.fields
    assert form.is_valid() and form.cleaned_config == PAPER_FLOW
    assert 'data-variant="data.input.modality' not in render_to_string("forms/_section.html", {"section": form.root})


def test_the_widget_knows_the_limits_and_the_help_tells_them() -> None:
    bound = schema_form(TrainingConfig)()["batch_size"]
    assert bound.field.widget.attrs == {"step": 1, "min": 1, "max": 4096}
    html = render_to_string("forms/_field.html", {"field": bound})
    assert "1 to 4096." in html and "(videos)" in html


@pytest.mark.parametrize("text", ["1, 1.5", "1，1.5", "1;1.5,"])
def test_numbers_of_a_list_are_separated_by_any_comma(text: str) -> None:
    form = bound_with(FusionConfig, weights=text)
    assert form.is_valid() and isinstance(form.cleaned_config, FusionConfig) and form.cleaned_config.weights == (1.0, 1.5)


@pytest.mark.parametrize("text", ["nan", "inf"])
def test_a_weight_is_a_finite_number(text: str) -> None:
    form = bound_with(FusionConfig, weights=text)
    assert not form.is_valid() and f"finite number; you gave {text}" in form.errors["weights"][0]


def test_variants_that_were_not_chosen_show_their_defaults() -> None:
    initial = initial_of(ExperimentConfig(evaluation=Protocol(frames=3)))
    assert initial["evaluation.frames"] == 3
    assert initial["data.input.modality"] == "rgb"
    assert initial["data.input.flow.stack_len"] == FlowInput().stack_len
