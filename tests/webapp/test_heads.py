"""One temporal net of two datasets, a spatial net of the second: both are fused there, predict there, and count in its tables."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from ml.config.evaluation import FusionConfig
from ml.config.study import SPLIT, Axis, StudyConfig
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_upload, make_user, share
from webapp.datasets.models import Dataset, Membership, Split, SplitEntry
from webapp.datasets.services.deletion import delete_dataset
from webapp.experiments.heads import Head, head_on, seen_from
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.published_table import choices_of
from webapp.experiments.references import reference_to
from webapp.experiments.selectors.access import visible_evaluations, visible_fusions
from webapp.experiments.selectors.fusions import fusable_places
from webapp.experiments.selectors.run_list import with_test_result
from webapp.experiments.selectors.studies import points
from webapp.experiments.services.fits import NothingHeldOut
from webapp.experiments.services.fusions import UnfitStreams, create_fusion
from webapp.experiments.services.launch import UnfitRun, launch_run
from webapp.experiments.services.studies import launch_study
from webapp.experiments.studies.bases import base_of
from webapp.experiments.studies.results import rows
from webapp.jobs.models import Job
from webapp.predictions.models import Prediction
from webapp.predictions.services import RefusedPrediction, confirm
from worker.tasks.evaluate import EvaluateTask
from worker.tasks.predict import PredictTask

pytestmark = pytest.mark.django_db
SVM = FusionConfig(method="svm", normalize="l2", fit="held_out_folds", folds=2)


@pytest.fixture
def hmdb(ada: User) -> Dataset:
    return make_dataset(ada, ("run", "sit"), name="HMDB-51")


@pytest.fixture
def temporal(dataset: Dataset, hmdb: Dataset) -> Run:
    """Its own dataset is the other one."""
    return make_run(dataset, "flow", also=[reference_to(hmdb.splits.get())])


@pytest.fixture
def streams(hmdb: Dataset, temporal: Run) -> list[Evaluation]:
    """Scores of HMDB-51: by a spatial run of its own, wrong on half of it, and by the head of the temporal one."""
    spatial = make_evaluation(make_run(hmdb), lambda _label, _position: 0)
    make_evaluation(temporal)
    return [spatial, make_evaluation(temporal, other_split=hmdb.splits.get())]


class TestFusing:
    def test_a_place_counts_every_head_that_scores_it(self, ada: User, streams: list[Evaluation]) -> None:
        assert [(place.dataset, place.split, place.count) for place in fusable_places(ada)] == [("HMDB-51", "1", 2)]

    def test_the_form_offers_the_head_with_the_run_it_is_of_and_the_fusion_belongs_to_its_dataset(
        self, as_ada: Client, hmdb: Dataset, streams: list[Evaluation]
    ) -> None:
        address = reverse("experiments:fusion_new")
        assert "flow run · run on gestures · flow" in as_ada.get(address).content.decode()
        how = {"method": "average", "normalize": "softmax", "weights": "", "svm_c": "1", "fit": "validation_scores", "folds": "5"}
        as_ada.post(address, {"name": "both", "streams": [one.pk for one in streams], **how})
        fusion = Fusion.objects.get()
        assert (fusion.dataset, fusion.split) == (hmdb, hmdb.splits.get())
        page = as_ada.get(reverse("experiments:fusion_detail", args=(fusion.pk,))).content.decode()
        assert "run on gestures" in page

    def test_heads_of_other_datasets_do_not_fit(self, ada: User, temporal: Run, streams: list[Evaluation]) -> None:
        own = temporal.evaluations.get(other_split=None)
        with pytest.raises(UnfitStreams, match="different datasets or splits"):
            create_fusion(ada, [streams[0], own], FusionConfig(), "both")

    def test_the_finished_fusion_has_a_page_of_its_datasets_classes(self, as_ada: Client, streams: list[Evaluation]) -> None:
        page = as_ada.get(reverse("experiments:fusion_detail", args=(make_fusion(streams).pk,)))
        assert [row["name"] for row in page.context["table"]] == ["run", "sit"]
        assert [round(results.top1, 1) for _name, _evaluation, results, _color in page.context["columns"]] == [0.5, 1.0, 1.0]

    def test_an_svm_is_fitted_on_the_same_head_of_the_runs_without_a_fold(
        self, ada: User, hmdb: Dataset, temporal: Run, streams: list[Evaluation]
    ) -> None:
        fusion = create_fusion(ada, streams, SVM, "svm")
        fits = [fit.evaluation for fit in fusion.fits.filter(stream=1).select_related("evaluation__run")]
        assert [(fit.dataset, fit.subset) for fit in fits] == [(hmdb, "validation")] * 2
        for number, fit in enumerate(fits, start=1):
            assert fit.run is not None and fit.run.parent == temporal
            assert fit.run.experiment.data.held_out_fold == (number, 2) and fit.run.experiment.data.also == temporal.experiment.data.also
            command = EvaluateTask(fit.job).command()
            assert command[command.index("--dataset") + 1] == str(fit.run.folder / "others" / str(hmdb.pk))

    @pytest.mark.parametrize(("fit", "subset"), [("training_scores", "train"), ("validation_scores", "validation")])
    def test_an_svm_on_scores_of_the_run_takes_those_of_the_head(
        self, ada: User, hmdb: Dataset, streams: list[Evaluation], fit: str, subset: str
    ) -> None:
        fusion = create_fusion(ada, streams, SVM.replace(fit=fit), "svm")
        assert {(one.evaluation.dataset, one.evaluation.subset) for one in fusion.fits.all()} == {(hmdb, subset)}

    def test_folds_of_any_of_its_datasets_must_have_groups_enough(
        self, ada: User, dataset: Dataset, hmdb: Dataset, streams: list[Evaluation]
    ) -> None:
        dataset.videos.update(group="the same")
        with pytest.raises(NothingHeldOut, match="1 groups of training videos do not fill 2 folds"):
            create_fusion(ada, streams, SVM, "svm")

    def test_folds_that_a_start_of_the_start_has_learnt_are_refused(self, ada: User, hmdb: Dataset, streams: list[Evaluation]) -> None:
        first = make_run(hmdb)
        second = make_run(make_dataset(ada, name="elsewhere"))
        for run, start in ((second, first), (streams[0].run, second)):
            assert run is not None
            run.config["training"]["init_run"] = str(start.pk)
            run.save()
        with pytest.raises(NothingHeldOut, match="has learnt every fold"):
            create_fusion(ada, streams, SVM, "svm")


class TestRights:
    def test_a_fusion_with_a_stream_that_one_may_not_see_is_not_there(self, hmdb: Dataset, streams: list[Evaluation]) -> None:
        fusion, bob = make_fusion(streams), make_user("bob")
        share(hmdb, bob, Membership.Role.EDITOR)
        assert not visible_fusions(bob).exists() and fusable_places(bob) == []
        assert list(visible_evaluations(bob)) == [streams[0]]
        for user in (make_user("root", is_superuser=True), fusion.owner):
            assert visible_fusions(user).get() == fusion and visible_evaluations(user).count() == 4

    def test_the_page_of_the_run_does_not_tell_of_it_either(
        self, client: Client, ada: User, dataset: Dataset, streams: list[Evaluation]
    ) -> None:
        fusion, bob, run = make_fusion(streams), make_user("bob"), streams[1].run
        assert run is not None
        share(dataset, bob)
        for user, is_told in ((bob, False), (ada, True)):
            client.force_login(user)
            assert (f"/fusions/{fusion.pk}/" in client.get(f"/experiments/{run.pk}/").content.decode()) is is_told

    def test_a_further_dataset_that_one_may_not_change_is_not_trained_on(self, dataset: Dataset, hmdb: Dataset, temporal: Run) -> None:
        bob = make_user("bob")
        share(dataset, bob, Membership.Role.EDITOR)
        share(hmdb, bob)
        with pytest.raises(UnfitRun, match="may not train on “HMDB-51”"):
            launch_run(bob, dataset, dataset.splits.get(), temporal.experiment, "mine")

    @pytest.mark.parametrize("which", ["of the run", "of the fusion"])
    def test_either_dataset_takes_the_fusion_and_what_it_predicted_along(
        self, ada: User, dataset: Dataset, hmdb: Dataset, streams: list[Evaluation], which: str
    ) -> None:
        fusion = make_fusion(streams)
        job = Job.objects.create(kind=Job.Kind.PREDICT, title="p", user=ada, state=Job.State.DONE, subject_id=0)
        Prediction.objects.create(user=ada, upload=make_upload(ada), fusion=fusion, job=job)
        delete_dataset(dataset if which == "of the run" else hmdb)
        assert not Fusion.objects.exists() and not Prediction.objects.exists() and not Job.objects.filter(kind=Job.Kind.FUSE).exists()


class TestPredicting:
    def test_each_head_is_a_choice_named_by_its_dataset(self, as_ada: Client, hmdb: Dataset, temporal: Run) -> None:
        form = as_ada.get(reverse("predictions:prediction_list")).context["form"]
        ((_title, choices),) = form.fields["model"].choices
        assert choices == [
            (f"run-{temporal.pk}", "flow run · gestures"),
            (f"run-{temporal.pk}-on-{hmdb.splits.get().pk}", "flow run · HMDB-51"),
        ]

    def test_who_does_not_see_a_further_dataset_cannot_choose_it(self, client: Client, dataset: Dataset, temporal: Run) -> None:
        bob = make_user("bob")
        share(dataset, bob)
        client.force_login(bob)
        assert list(client.get(reverse("predictions:prediction_list")).context["form"].heads) == [f"run-{temporal.pk}"]

    def test_the_chosen_head_is_asked_and_its_label_confirmed(self, as_ada: Client, ada: User, hmdb: Dataset, temporal: Run) -> None:
        split = hmdb.splits.get()
        as_ada.post(
            reverse("predictions:prediction_create"), {"model": f"run-{temporal.pk}-on-{split.pk}", "uploads": [make_upload(ada).pk]}
        )
        prediction = Prediction.objects.get()
        assert (prediction.run, prediction.other_split, prediction.dataset) == (temporal, split, hmdb)
        command = PredictTask(prediction.job).command()
        assert command[command.index("--dataset") + 1] == str(temporal.folder / "others" / str(hmdb.pk))
        prediction.result = {"top": [["sit", 0.9]]}
        prediction.save()
        page = as_ada.get(reverse("predictions:prediction_detail", args=(prediction.pk,))).content.decode()
        assert "classes of HMDB-51" in page and f"?model=run-{temporal.pk}-on-{split.pk}" in page
        confirm(prediction, hmdb.labels.get(name="sit"))
        with pytest.raises(RefusedPrediction, match="not a class of this dataset"):
            confirm(prediction, temporal.dataset.labels.get(name="jump"))

    def test_the_results_of_a_head_lead_to_it(self, as_ada: Client, streams: list[Evaluation]) -> None:
        page = as_ada.get(reverse("experiments:evaluation_detail", args=(streams[1].pk,))).content.decode()
        assert f"?model=run-{streams[1].run_id}-on-{streams[1].other_split_id}" in page


class TestTables:
    def test_a_run_stands_beside_a_table_once_for_each_of_its_datasets(
        self, as_ada: Client, ada: User, hmdb: Dataset, streams: list[Evaluation]
    ) -> None:
        assert [choice.dataset.name for choice in choices_of(ada).values()] == ["HMDB-51", "gestures", "HMDB-51"]
        run, split = streams[1].run, hmdb.splits.get()
        assert run is not None
        Evaluation.objects.filter(pk=streams[1].pk).update(metrics={**streams[1].metrics, "top1": 0.125})
        page = as_ada.get(f"/experiments/published/two_stream_2/?ours=run-{run.pk}&ours=run-{run.pk}-on-{split.pk}")
        multi_task = page.context["comparison"].lines[-1]
        assert multi_task.theirs.label == "Multi-task learning on HMDB-51 and UCF-101"
        assert [[str(spread) for _row, spread in column] for column in multi_task.ours] == [["100"], ["12"]]
        assert [column.dataset for column in page.context["comparison"].columns] == ["gestures", "HMDB-51"]

    def test_a_fusion_of_a_head_stands_in_table_4_with_the_numbers_of_its_own_dataset(
        self, as_ada: Client, temporal: Run, streams: list[Evaluation]
    ) -> None:
        own = temporal.evaluations.get(other_split=None)
        Evaluation.objects.filter(pk=own.pk).update(metrics={**own.metrics, "top1": 0.0625})
        page = as_ada.get(f"/experiments/published/two_stream_4/?ours=fusion-{make_fusion(streams).pk}")
        found = {line.theirs.label: [str(spread) for _row, spread in line.ours[0]] for line in page.context["comparison"].lines}
        assert found["Spatial stream ConvNet"] == ["50"] and found["Temporal stream ConvNet"] == ["100"]
        assert found["Two-stream model (fusion by averaging)"] == ["100"]

    def test_a_run_seen_from_a_further_dataset_has_that_for_its_own(self, dataset: Dataset, hmdb: Dataset, temporal: Run) -> None:
        head = head_on(temporal, hmdb)
        assert head == Head(temporal, hmdb.splits.get())
        seen = seen_from(head)
        assert (seen.data.split, seen.data.also) == ("1", (reference_to(dataset.splits.get()),))
        assert seen.replace(data=temporal.experiment.data) == temporal.experiment

    def test_a_third_dataset_that_was_deleted_takes_no_page_along(self, as_ada: Client, ada: User, dataset: Dataset, hmdb: Dataset) -> None:
        third = make_dataset(ada, name="third")
        run = make_run(dataset, "flow", also=[reference_to(each.splits.get()) for each in (hmdb, third)])
        study = launch_study(ada, hmdb.splits.get(), StudyConfig(streams=(seen_from(Head(run, hmdb.splits.get())),)), "three", [run])
        assert list(study.runs.all()) == [run]
        Job.objects.update(state=Job.State.DONE)
        delete_dataset(third)
        assert as_ada.get(f"/experiments/studies/{study.pk}/").status_code == 200
        assert as_ada.get(f"/experiments/published/two_stream_2/?ours=run-{run.pk}").status_code == 200


@pytest.fixture
def three_splits(dataset: Dataset, hmdb: Dataset) -> list[str]:
    for each in (dataset, hmdb):
        first = each.splits.get()
        for name in ("2", "3"):
            split = Split.objects.create(dataset=each, name=name, origin="official")
            SplitEntry.objects.bulk_create(SplitEntry(split=split, video=one.video, subset=one.subset) for one in first.entries.all())
    return ["1", "2", "3"]


def test_the_runs_of_one_dataset_fill_the_study_of_the_other_over_three_splits(
    ada: User, dataset: Dataset, hmdb: Dataset, three_splits: list[str]
) -> None:
    """Both rows of Table 4 from three temporal nets."""
    over_splits = Axis(field=SPLIT, values=tuple(three_splits))
    first = make_run(dataset, "flow", also=[reference_to(hmdb.splits.get(name="1"))])
    study = launch_study(ada, dataset.splits.get(name="1"), StudyConfig(streams=(first.experiment,), axes=(over_splits,)), "UCF", [first])
    runs = list(study.runs.order_by("split__name"))
    assert [[other.split for other in run.experiment.data.also] for run in runs] == [["1"], ["2"], ["3"]]
    for run in runs:
        run.evaluations.all().delete()
        Job.objects.filter(pk=run.job_id).update(state=Job.State.DONE)
        make_evaluation(run, lambda _label, _position: 0, other_split=hmdb.splits.get(name=run.split.name))

    spatial = make_evaluation(make_run(hmdb))
    fusion = make_fusion([spatial, runs[0].evaluations.get()])
    heads = {f"run-{run.pk}-on-{hmdb.splits.get(name=run.split.name).pk}" for run in runs}
    assert set(choices_of(ada)) == {f"study-{study.pk}", f"fusion-{fusion.pk}", f"run-{spatial.run_id}", *heads}
    base = base_of(ada, {"fusion": str(fusion.pk)})
    grid = base.grid.replace(axes=(over_splits,))
    other = launch_study(ada, hmdb.splits.get(name="1"), grid, "HMDB", [*base.runs, *runs[1:]])

    assert [point.members[1] for point in points(other)] == runs
    assert next(point.members[2] for point in points(other)) == fusion
    assert Run.objects.count() == 3 + 3  # only the spatial stream is trained on the other splits
    assert choices_of(ada).keys() >= {f"study-{study.pk}", f"study-{other.pk}"} and not choices_of(ada).keys() & {
        *heads,
        f"fusion-{fusion.pk}",
    }
    listed = with_test_result(other.runs.filter(pk__in=[run.pk for run in runs]), hmdb)
    assert [run.top1 for run in listed] == [0.5] * 3  # type: ignore[attr-defined]
    temporal = rows(other.grid, points(other), hmdb)[1]
    assert str(temporal.spread("top1")) == "50 ± 0" and len(temporal.measured) == 3


def test_a_further_dataset_without_the_other_splits_stays(ada: User, dataset: Dataset, hmdb: Dataset, three_splits: list[str]) -> None:
    hmdb.splits.exclude(name="1").delete()
    run = make_run(dataset, "flow", also=[reference_to(hmdb.splits.get())])
    grid = StudyConfig(streams=(run.experiment,), axes=(Axis(field=SPLIT, values=tuple(three_splits)),))
    study = launch_study(ada, dataset.splits.get(name="1"), grid, "UCF", [run])
    assert [[other.split for other in one.experiment.data.also] for one in study.runs.all()] == [["1"]] * 3
