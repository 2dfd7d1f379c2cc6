"""Runs that learn several datasets, or start from another run: what the forms offer, what is stored, what the worker makes of it."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from ml.config.data import OtherDataset
from ml.config.evaluation import FusionConfig
from ml.config.experiment import ExperimentConfig
from ml.config.presets import PRESETS
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user, share
from tests.webapp.test_forms import posted
from webapp.datasets.models import Dataset, FlowCache, Membership
from webapp.datasets.services.deletion import delete_dataset
from webapp.datasets.services.flow import FlowInUse, delete_flow
from webapp.experiments.forms.launch import LaunchForm
from webapp.experiments.heads import Head
from webapp.experiments.models import Evaluation, Run
from webapp.experiments.preflight import preflight
from webapp.experiments.published_table import ours_of
from webapp.experiments.references import reference_to
from webapp.experiments.selectors.access import visible_evaluations
from webapp.experiments.selectors.compare import compared
from webapp.experiments.selectors.run_list import with_test_result
from webapp.experiments.services.fusions import launch_two_stream
from webapp.experiments.services.launch import UnfitRun, launch_run
from webapp.experiments.views.launch import ConfigForm
from webapp.jobs.models import Job
from worker.tasks.evaluate import EvaluateTask
from worker.tasks.train import TrainTask

pytestmark = pytest.mark.django_db
SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config


@pytest.fixture
def other(ada: User) -> Dataset:
    return make_dataset(ada, classes=("run", "sit"), name="postures")


def learning_also(config: ExperimentConfig, *datasets: Dataset) -> ExperimentConfig:
    return config.replace(data=config.data.replace(also=[reference_to(dataset.splits.get()) for dataset in datasets]))


def starting_from(config: ExperimentConfig, run: Run) -> ExperimentConfig:
    return config.replace(training=config.training.replace(init_run=str(run.pk)))


def launch(user: User, dataset: Dataset, config: ExperimentConfig) -> Run:
    return launch_run(user, dataset, dataset.splits.get(), config, "a run")


def filled(ada: User, dataset: Dataset, **choices: object) -> QueryDict:
    """The page's forms as a browser sends them."""
    data = posted(ConfigForm(config=SPATIAL))
    data.update({"name": "a run", "split": str(dataset.splits.get().pk), "seeds": "1"})
    for name, value in choices.items():
        data[name] = str(value)
    return data


def test_the_page_launches_a_run_that_names_its_datasets_and_its_beginning_by_number(
    client: Client, ada: User, dataset: Dataset, other: Dataset
) -> None:
    client.force_login(ada)
    start = make_run(dataset)
    Run.objects.filter(pk=start.pk).update(config=SPATIAL.model_dump(mode="json"))

    client.post(reverse("experiments:new_run"), filled(ada, dataset, also=other.splits.get().pk, start=start.pk))

    config = Run.objects.get(name="a run").experiment
    assert config.data.also == (OtherDataset(dataset=str(other.pk), split="1"),)
    assert config.training.init_run == str(start.pk)


def test_only_ones_own_datasets_and_visible_finished_runs_are_offered(ada: User, dataset: Dataset) -> None:
    foreign = make_dataset(make_user("eve"), name="secret")
    make_run(foreign)
    make_run(dataset, state=Job.State.RUNNING)
    finished = make_run(dataset)

    form = LaunchForm(ada, filled(ada, dataset, also=foreign.splits.get().pk))

    assert "also" in form.errors
    assert list(form.fields["start"].queryset) == [finished]  # type: ignore[attr-defined]


def test_a_clone_begins_with_the_same_choices(client: Client, ada: User, dataset: Dataset, other: Dataset) -> None:
    client.force_login(ada)
    run = launch(ada, dataset, learning_also(SPATIAL, other))

    page = client.get(reverse("experiments:new_run"), {"clone": run.pk})

    assert page.context["launch"].initial["also"] == [other.splits.get()]


def test_the_flow_of_every_dataset_comes_before_the_training(ada: User, dataset: Dataset, other: Dataset) -> None:
    run = launch(ada, dataset, learning_also(TEMPORAL, other))

    before = run.job.after.order_by("pk")
    assert [(job.kind, job.dataset) for job in before] == [("flow", dataset), ("flow", other)]


def test_flow_that_a_run_of_another_dataset_needs_is_kept(ada: User, dataset: Dataset, other: Dataset) -> None:
    launch(ada, dataset, learning_also(TEMPORAL, other))
    cache = FlowCache.objects.get(dataset=other)
    Job.objects.filter(kind=Job.Kind.FLOW).update(state=Job.State.DONE)

    with pytest.raises(FlowInUse, match="a run"):
        delete_flow(cache)


def test_a_dataset_twice_is_refused_for_its_splits_would_share_videos(ada: User, dataset: Dataset) -> None:
    with pytest.raises(UnfitRun, match="chosen twice"):
        launch(ada, dataset, learning_also(SPATIAL, dataset))


def test_a_run_of_another_input_is_nothing_to_start_from(ada: User, dataset: Dataset) -> None:
    start = make_run(dataset, "flow")

    with pytest.raises(UnfitRun, match="another network or another input"):
        launch(ada, dataset, starting_from(SPATIAL, start))


def test_what_was_deleted_is_said(ada: User, dataset: Dataset, other: Dataset) -> None:
    config, pk = learning_also(SPATIAL, other), other.pk
    delete_dataset(other)

    assert [finding.message for finding in preflight(dataset.splits.get(), config) if finding.level == "error"] == [
        f"Dataset no. {pk} with split “1” was deleted."
    ]


def test_the_worker_puts_folders_in_the_place_of_numbers(ada: User, dataset: Dataset, other: Dataset) -> None:
    start = make_run(dataset)
    Run.objects.filter(pk=start.pk).update(config=SPATIAL.model_dump(mode="json"))
    run = launch(ada, dataset, starting_from(learning_also(SPATIAL, other), start))

    _train, path, *_out = TrainTask(run.job).command()

    config = ExperimentConfig.model_validate_json(Path(path).read_bytes())
    assert (Path(config.data.also[0].dataset) / "manifest.json").exists()
    assert config.data.also[0].dataset == str(run.folder / "others" / str(other.pk))
    assert config.training.init_run == str(start.folder)


def evaluated(run: Run) -> list[tuple[str, str, str]]:
    return [(str(one.dataset), str(one.split), one.subset) for one in run.evaluations.order_by("pk")]


def test_a_run_is_tested_on_every_dataset_that_it_learns_and_that_has_test_videos(ada: User, dataset: Dataset, other: Dataset) -> None:
    for_training = make_dataset(ada, classes=("walk", "stand"), name="training only")
    for_training.splits.get().entries.update(subset="train")

    run = launch(ada, dataset, learning_also(SPATIAL, other, for_training))

    assert evaluated(run) == [("gestures", "1", "test"), ("postures", "1", "test")]


def test_both_streams_of_several_datasets_are_fused_on_their_own_one(ada: User, dataset: Dataset, other: Dataset) -> None:
    streams = (learning_also(SPATIAL, other), learning_also(TEMPORAL, other))

    fusion = launch_two_stream(ada, dataset, dataset.splits.get(), *streams, FusionConfig(), "two streams")

    assert [member.evaluation.dataset for member in fusion.memberships.all()] == [dataset, dataset]


class TestFurtherDatasets:
    """A finished run of two datasets, and what its page and the pages of its results say of each."""

    @pytest.fixture
    def run(self, dataset: Dataset, other: Dataset) -> Run:
        run = make_run(dataset, also=[reference_to(other.splits.get())], validation_fraction=0)
        own, further = make_evaluation(run), make_evaluation(run)
        Evaluation.objects.filter(pk=further.pk).update(other_split=other.splits.get(), metrics={**further.metrics, "top1": 0.125})
        Evaluation.objects.filter(pk=own.pk).update(metrics={**own.metrics, "top1": 0.875})
        return run

    def test_the_runs_page_has_both_numbers_each_with_its_dataset(self, as_ada: Client, run: Run) -> None:
        page = as_ada.get(f"/experiments/{run.pk}/").content.decode()
        assert page.index("88\u00a0%") < page.index("12\u00a0%")
        assert page.count("postures · 1") == 2  # in the table, as a choice
        assert f'href="/experiments/evaluations/{run.evaluations.latest("pk").pk}/">postures</a>' in page

    def test_the_results_name_the_dataset_they_are_of(self, as_ada: Client, other: Dataset, run: Run) -> None:
        further = run.evaluations.get(other_split=other.splits.get())
        page = as_ada.get(f"/experiments/evaluations/{further.pk}/").content.decode()
        assert f'<a href="/datasets/{other.pk}/">postures</a>' in page

    def test_the_numbers_of_a_further_dataset_are_nowhere_taken_for_the_runs_own(self, run: Run) -> None:
        listed = with_test_result(Run.objects.filter(pk=run.pk)).get()
        (column,) = compared([run])
        (row,) = ours_of(Head(run)).rows
        assert listed.top1 == 0.875  # type: ignore[attr-defined]
        assert column.results is not None and column.results.top1 == 0.875
        assert [one.metrics["top1"] for one in row.measured] == [0.875]

    def test_it_can_be_tested_again_on_a_further_dataset(self, as_ada: Client, other: Dataset, run: Run) -> None:
        data = {
            "other": other.splits.get().pk,
            "subset": "train",
            "frames": "3",
            "crops": "5",
            "aggregation": "logits",
            "sampling": "spread",
        }
        as_ada.post(f"/experiments/{run.pk}/evaluate", data)
        asked = Evaluation.objects.latest("pk")
        assert (asked.dataset, asked.subset, asked.protocol["frames"]) == (other, "train", 3)
        assert asked.job.title == "rgb run · postures · train · 3 × 5, scores before softmax"
        command = EvaluateTask(asked.job).command()
        assert command[command.index("--dataset") + 1] == str(run.folder / "others" / str(other.pk))

    def test_a_subset_that_only_the_other_dataset_has_is_refused(self, as_ada: Client, other: Dataset, run: Run) -> None:
        other.splits.get().entries.filter(video__label__name="sit").update(subset="validation")
        data = {"subset": "validation", "frames": "3", "crops": "1", "aggregation": "softmax"}
        page = as_ada.post(f"/experiments/{run.pk}/evaluate", data, follow=True).content.decode()
        assert "This dataset has no such videos." in page and run.evaluations.count() == 2

    def test_who_does_not_see_the_further_dataset_sees_nothing_of_it(
        self, client: Client, dataset: Dataset, other: Dataset, run: Run
    ) -> None:
        bob = make_user("bob")
        share(dataset, bob, Membership.Role.EDITOR)
        client.force_login(bob)
        further = run.evaluations.get(other_split=other.splits.get())
        assert "postures" not in client.get(f"/experiments/{run.pk}/").content.decode()
        assert client.get(f"/experiments/evaluations/{further.pk}/").status_code == 404

    @pytest.mark.parametrize("is_superuser", [False, True])
    def test_the_owner_and_an_admin_see_all_of_it(self, ada: User, run: Run, is_superuser: bool) -> None:
        user = make_user("root", is_superuser=True) if is_superuser else ada
        assert visible_evaluations(user).filter(run=run).count() == 2

    def test_deleting_the_further_dataset_takes_along_what_was_tested_on_it(self, other: Dataset, run: Run) -> None:
        delete_dataset(other)
        assert evaluated(run) == [("gestures", "1", "test")]
        assert Job.objects.filter(kind=Job.Kind.EVALUATE).count() == 1
