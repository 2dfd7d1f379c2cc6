"""Schemas say no to what they do not know, and equal configs have equal ids."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from ml.config.data import DataConfig, FlowInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig, Preset
from ml.config.flow import DIS, TVL1, Brox, Farneback, FlowSpec
from ml.config.models import NFMML, TSN, TwoStream
from ml.config.presets import PRESETS
from ml.config.presets.nfmml import METRIC_LEARNING
from ml.config.presets.tsn import TEMPORAL_SEGMENTS
from ml.config.presets.two_stream import TWO_STREAM
from ml.config.schema import Schema
from ml.config.store import MediaStore
from ml.config.studies import STUDIES
from ml.config.training import TrainingConfig

ASKED_FOR = (ExperimentConfig, FlowSpec, Protocol, FusionConfig)


def knobs(schema: type[BaseModel]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema and of those within it, as JSON schema; kinds and versions are no knobs."""
    document = schema.model_json_schema()
    for part in (document, *document.get("$defs", {}).values()):
        for name, declared in part.get("properties", {}).items():
            if "const" not in declared:
                yield f"{part['title']}.{name}", declared


@pytest.mark.parametrize(("name", "declared"), [knob for schema in ASKED_FOR for knob in knobs(schema)])
def test_every_knob_has_a_title_and_a_sentence(name: str, declared: dict[str, Any]) -> None:
    assert declared.get("title"), name
    assert declared.get("description", "").endswith("."), name


@pytest.mark.parametrize(
    ("model", "segments"),
    [
        (TwoStream(), 1), (TSN(), 1), (TSN(consensus="max"), 3), (TSN(consensus="weighted"), 3),
        (NFMML(), 1), (NFMML(pooling="max"), 3), (NFMML(pooling="convolution"), 3),
    ],
)  # fmt: skip
def test_a_test_groups_views_where_a_video_is_not_the_mean_of_its_snippets(model: Any, segments: int) -> None:
    K = 1 if isinstance(model, TwoStream) else 3
    config = ExperimentConfig(model=model, data=DataConfig(num_segments=K), training=TrainingConfig(sampling="balanced"))
    assert config.segments_tested == segments
    grouped = "; views grouped into videos of 3 segments" if segments > 1 else ""
    assert Protocol(frames=6, crops=1).describe(segments) == f"6 frames × 1 crop, class probabilities averaged{grouped}"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_json(name: str) -> None:
    config = PRESETS[name].config
    assert ExperimentConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(("presets", "method"), [(TWO_STREAM, Brox()), (TEMPORAL_SEGMENTS, TVL1()), (METRIC_LEARNING, TVL1())])
def test_a_papers_presets_ask_for_the_flow_of_that_paper(presets: dict[str, Preset], method: Schema) -> None:
    inputs = [preset.config.data.input for preset in presets.values()]
    assert {found.flow.method for found in inputs if isinstance(found, FlowInput)} == {method}


def test_the_studies_of_the_two_stream_paper_keep_each_fields_own_range() -> None:
    configs = [config for study in STUDIES.values() if study.published.startswith("two_stream") for config in study.config.streams]
    assert {found.flow for config in configs if isinstance(found := config.data.input, FlowInput)} == {FlowSpec(method=Brox())}
    assert FlowSpec().encoding == "range"


def test_an_unknown_key_and_another_version_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ExperimentConfig.model_validate({"modle": {}})
    with pytest.raises(ValidationError, match="version"):
        ExperimentConfig.model_validate({"version": 2})


def test_a_value_out_of_range_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"training\.learning_rate"):
        ExperimentConfig.model_validate({"training": {"learning_rate": -1}})


def test_a_stored_config_is_never_edited() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Protocol().frames = 3  # type: ignore[misc]


def test_replace_makes_a_validated_copy() -> None:
    assert Protocol().replace(frames=5) == Protocol(frames=5)
    with pytest.raises(ValidationError, match="frames"):
        Protocol().replace(frames=0)


@given(st.sampled_from([TVL1, Farneback, DIS]), st.integers(50, 100))
def test_equal_specs_have_equal_ids_and_a_change_has_another(method: type[Schema], quality: int) -> None:
    spec = FlowSpec.model_validate({"method": method().model_dump(), "quality": quality})
    assert spec.spec_id() == FlowSpec.model_validate_json(spec.model_dump_json()).spec_id()
    assert spec.replace(bound=19.5).spec_id() != spec.spec_id()
    assert len(spec.spec_id()) == 12


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"data": {"num_segments": 3}}, "one snippet"),
        ({"model": {"kind": "nfmml"}}, "class-balanced"),
        ({"model": {"kind": "nfmml"}, "training": {"sampling": "balanced", "devices": 2}}, "one device"),
        ({"model": {"kind": "nfmml"}, "training": {"sampling": "balanced", "batch_size": 8, "micro_batch": 4}}, "whole batch"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ExperimentConfig.model_validate(config)


def test_a_metric_loss_takes_balanced_batches_whole() -> None:
    training = {"sampling": "balanced", "batch_size": 8, "micro_batch": 8}
    assert ExperimentConfig.model_validate({"model": {"kind": "nfmml"}, "data": {"num_segments": 25}, "training": training})


def test_the_input_is_told_apart_by_its_modality() -> None:
    config = ExperimentConfig.model_validate({"data": {"input": {"modality": "flow", "stack_len": 5}}})
    assert config.data.input == FlowInput(stack_len=5)


@given(st.integers(1, 250), st.sampled_from([1, 5, 10, 0]), st.sampled_from(["softmax", "logits"]), st.sampled_from(["spread", "middles"]))
def test_a_protocol_is_read_back_from_its_short_name(frames: int, crops: Any, aggregation: Any, sampling: Any) -> None:
    protocol = Protocol(frames=frames, crops=crops, aggregation=aggregation, sampling=sampling)
    assert Protocol.parse(protocol.short()) == protocol
    assert ("; frames from the middles of equal parts" in protocol.describe()) == (sampling == "middles")


@pytest.mark.parametrize("text", ["", "25", "25x", "x10", "25x10x3", "25 x 10", "25x10:max", "-1x10"])
def test_what_is_no_protocol_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="for example 25x10"):
        Protocol.parse(text)


@pytest.mark.parametrize("text", ["0x1", "251x1", "5x3"])
def test_a_protocol_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Protocol.parse(text)


@pytest.mark.parametrize("media", ["", "..", "a" * 63, "A" * 64, "../" + "a" * 61, "a" * 64 + "/x", "a" * 64 + "\n"])
def test_no_path_is_made_of_anything_but_a_content_hash(tmp_path: Any, media: str) -> None:
    with pytest.raises(ValueError, match="content hash"):
        MediaStore(tmp_path).folder(media)


def test_every_file_of_a_video_lies_in_its_folder(tmp_path: Any) -> None:
    store, media, spec = MediaStore(tmp_path), "ab" + "0" * 62, FlowSpec().spec_id()
    files = {store.original(media), store.proxy(media), store.poster(media), store.flow_preview(media, spec, spec)}
    files |= {store.frames(media, spec), store.flow(media, spec, spec)}
    assert len(files) == 6 and {path.parent for path in files} == {tmp_path / "ab" / media}
    with pytest.raises(ValueError, match="spec id"):
        store.frames(media, "../x")
