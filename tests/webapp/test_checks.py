"""What does not fit together in the forms of a launch is said at its fields, in its stream's section, along with all other mistakes."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ml.config.data import FrameSpec
from tests.webapp.factories import make_dataset, make_evaluation, make_run, posted
from webapp.datasets.models import Dataset
from webapp.experiments.models import Fusion, Run
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
PAIR = "/experiments/new/two-stream/"
CROP = "A crop of 500 px does not fit into a short side of 72 px."


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada)


def asked(client: Client, changes: dict[str, str], action: str = "check") -> Any:
    """The page of both streams, sent with these changes."""
    forms = posted(client.get(PAIR), "launch", "spatial", "temporal", "fusion")
    return client.post(PAIR, {**forms, **changes, "action": action})


@pytest.mark.usefixtures("dataset")
class TestBothStreams:
    @pytest.mark.parametrize("action", ["check", "launch"])
    def test_a_crop_too_large_marks_crop_and_short_side_of_its_stream(self, as_ada: Client, action: str) -> None:
        answer = asked(as_ada, {"temporal-data.crop_size": "500"}, action)
        assert set(answer.context["temporal"].errors) == {"data.crop_size", "data.short_side"}
        assert not answer.context["spatial"].errors and not answer.context["launch"].errors
        assert not Fusion.objects.exists() and not Run.objects.exists()

    def test_its_section_is_open_the_others_are_closed_and_the_sentence_names_it(self, as_ada: Client) -> None:
        page = asked(as_ada, {"temporal-data.crop_size": "500"}).content.decode()
        temporal = page.index("<strong>Temporal stream</strong>")
        assert page.count('<details class="card" open>') == 1
        assert page.index('<details class="card" open>') < temporal < page.index(f'role="alert">{CROP}')
        assert f"Temporal stream: {CROP}" in page and "Spatial stream: " not in page

    def test_what_is_wrong_in_both_streams_is_told_once_and_marked_in_both(self, as_ada: Client) -> None:
        answer = asked(as_ada, {"temporal-data.crop_size": "500", "spatial-data.crop_size": "500"})
        assert [finding.message for finding in answer.context["findings"] if finding.level == "error"] == [CROP]
        assert all("data.crop_size" in answer.context[name].errors for name in ("spatial", "temporal"))

    def test_it_is_told_along_with_values_out_of_range_and_with_conflicts(self, as_ada: Client) -> None:
        changes = {"temporal-data.crop_size": "500", "temporal-training.epochs": "0", "temporal-data.num_segments": "3"}
        errors = asked(as_ada, changes).context["temporal"].errors
        assert {"data.crop_size", "data.short_side", "training.epochs", "data.num_segments"} <= set(errors)

    def test_nothing_is_told_of_a_crop_whose_own_value_is_refused(self, as_ada: Client) -> None:
        answer = asked(as_ada, {"temporal-data.crop_size": "5000"})
        assert list(answer.context["temporal"].errors) == ["data.crop_size"]
        assert not [finding for finding in answer.context["findings"] if finding.level == "error"]

    @pytest.mark.parametrize("action", ["check", "launch"])
    def test_weights_of_three_streams_are_said_at_the_weights(self, as_ada: Client, action: str) -> None:
        answer = asked(as_ada, {"fusion-method": "weighted", "fusion-weights": "1, 2, 3"}, action)
        assert "3 weights for 2 streams." in answer.context["fusion"].errors["weights"][0]
        assert not Run.objects.exists()

    def test_a_split_without_tests_is_said_at_the_split(self, as_ada: Client, dataset: Dataset) -> None:
        dataset.splits.get().entries.filter(subset="test").delete()
        assert "has no test videos" in asked(as_ada, {}).context["launch"].errors["split"][0]

    def test_of_a_new_fusion_weights_are_said_at_the_weights_and_a_lonely_stream_at_the_streams(
        self, as_ada: Client, dataset: Dataset
    ) -> None:
        evaluations = [make_evaluation(make_run(dataset, modality)) for modality in ("rgb", "flow")]
        sent = {"name": "both", "method": "weighted", "normalize": "softmax", "svm_c": "1", "fit": "validation_scores", "folds": "5"}
        both = {**sent, "streams": [evaluation.pk for evaluation in evaluations], "weights": "1"}
        answer = as_ada.post("/experiments/fusions/new", both)
        assert "1 weight for 2 streams." in answer.context["config"].errors["weights"][0]
        answer = as_ada.post("/experiments/fusions/new", {**both, "streams": [evaluations[0].pk]})
        assert "at least two streams" in answer.context["form"].errors["streams"][0] and not Fusion.objects.exists()


class TestUntouched:
    """The form as it comes, on few videos."""

    def test_the_small_preset_warns_of_nothing(self, as_ada: Client, ada: User) -> None:
        dataset = make_dataset(ada)
        dataset.frame_spec = FrameSpec(short_side=112).model_dump()
        dataset.save()
        findings = as_ada.get(PAIR).context["findings"]
        assert {finding.level for finding in findings} == {"note", "success"}
        (batch,) = (finding for finding in findings if "batch of 32" in finding.message)
        assert batch.message == "A batch of 32 has room for all 6 training videos: every epoch is one step."

    @pytest.mark.usefixtures("dataset")
    def test_what_both_streams_do_is_told_once(self, as_ada: Client) -> None:
        outlook = as_ada.get(PAIR).context["findings"][-1].advice
        assert outlook.count("20 epochs") == 1 and outlook.startswith("Each stream trains for 20 epochs on the 6 training videos")
        assert outlook.count("tested on the 6 test videos") == 1

    @pytest.mark.usefixtures("dataset")
    def test_streams_that_train_otherwise_are_told_apart(self, as_ada: Client) -> None:
        outlook = asked(as_ada, {"temporal-training.epochs": "5", "temporal-training.milestones": ""}).context["findings"][-1].advice
        assert "Spatial stream: It trains for 20 epochs" in outlook and "Temporal stream: It trains for 5 epochs" in outlook


@pytest.mark.usefixtures("dataset")
class TestOnceMore:
    """The same launch from another tab."""

    def test_equal_runs_are_told_with_their_address_until_something_differs(self, as_ada: Client) -> None:
        asked(as_ada, {}, "launch")
        spatial, temporal = Run.objects.order_by("pk")
        page = asked(as_ada, {"temporal-training.seed": "7"}).content.decode()
        assert page.count("A run with all of these settings") == 1 and f"“{spatial.name}”" in page
        assert f'<a href="/experiments/{spatial.pk}/">Show the run</a>' in page
        assert asked(as_ada, {}).content.decode().count("A run with all of these settings") == 2
        Job.objects.filter(pk__in=(spatial.job_id, temporal.job_id)).update(state=Job.State.FAILED)
        assert "A run with all of these settings" not in asked(as_ada, {}).content.decode()

    def test_a_name_that_is_taken_gets_a_number(self, as_ada: Client) -> None:
        for _ in range(3):
            asked(as_ada, {}, "launch")
        assert {fusion.name for fusion in Fusion.objects.all()} == {"Two streams", "Two streams (2)", "Two streams (3)"}
        assert Run.objects.filter(name="Two streams: spatial (3)").exists() and len({run.name for run in Run.objects.all()}) == 6
