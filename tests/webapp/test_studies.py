"""Studies: grids launched, measured over splits and seeds, stopped, grown; and beside published tables."""

import csv
import io
from statistics import stdev
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ml.config.data import FlowInput
from ml.config.evaluation import FusionConfig
from ml.config.presets import PRESETS
from ml.config.studies import STUDIES
from ml.config.study import SEED, SPLIT, Axis, StudyConfig, with_value
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user, score_videos, share
from webapp.datasets.models import Dataset, Split, SplitEntry
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.experiments.selectors.studies import is_live, points
from webapp.experiments.services.studies import UnfitStudy, add_values, foreseen, launch_missing, launch_study, resume_study, stop_study
from webapp.experiments.studies.results import Spread, rows
from webapp.jobs.models import Job
from webapp.latex import tabular

pytestmark = pytest.mark.django_db
SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config
SPATIAL = SPATIAL.replace(evaluation=SPATIAL.evaluation.replace(frames=5, crops=1))
DROPOUT = Axis(field="model.dropout", values=(0.5, 0.9))
SEEDS = Axis(field=SEED, values=(0, 1))


@pytest.fixture
def dataset(ada: User) -> Dataset:
    """With two splits, the second the other way round."""
    dataset = make_dataset(ada, name="My UCF-101")
    other = Split.objects.create(dataset=dataset, name="2", origin="generated")
    swapped = {"train": "test", "test": "train"}
    SplitEntry.objects.bulk_create(
        SplitEntry(split=other, video=entry.video, subset=swapped[entry.subset]) for entry in SplitEntry.objects.select_related("video")
    )
    return dataset


def grid(*axes: Axis) -> StudyConfig:
    return StudyConfig(streams=(SPATIAL,), axes=axes)


def launch(user: User, dataset: Dataset, config: StudyConfig, **words: Any) -> Study:
    return launch_study(user, dataset.splits.get(name="1"), config, "a study", **words)


def finish(study: Study, wrong: int = 0) -> None:
    """Every run is trained and tested; the first `wrong` runs take every class for the first one."""
    for number, run in enumerate(study.runs.order_by("pk")):
        evaluation = run.evaluations.get()
        fresh = make_evaluation(run, (lambda label, position: 0) if number < wrong else (lambda label, position: label))
        Evaluation.objects.filter(pk=evaluation.pk).update(metrics=fresh.metrics)
        fresh.delete()
        score_videos(evaluation, lambda label, position: label)
    Job.objects.update(state=Job.State.DONE)


class TestLaunching:
    def test_a_grid_becomes_its_runs_each_with_its_config_split_and_test(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT, Axis(field=SPLIT, values=("1", "2"))))
        found = [(run.experiment.model.dropout, run.split.name, run.experiment.data.split) for run in study.runs.order_by("pk")]
        assert found == [(0.5, "1", "1"), (0.5, "2", "2"), (0.9, "1", "1"), (0.9, "2", "2")]
        assert all(run.evaluations.count() == 1 for run in study.runs.all())
        assert study.runs.order_by("pk")[1].name == "a study · Dropout 0.5, Split 2"

    def test_a_stream_that_an_axis_does_not_move_is_trained_once_and_fused_at_every_point(self, ada: User, dataset: Dataset) -> None:
        length = Axis(field="data.input.stack_len", values=(2, 3))
        study = launch(ada, dataset, StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(),), axes=(length,)))
        assert [run.modality for run in study.runs.order_by("pk")] == ["rgb", "flow", "flow"]
        spatial, *temporal = study.runs.order_by("pk")
        members = [[member.evaluation.run for member in fusion.memberships.all()] for fusion in Fusion.objects.order_by("pk")]
        assert members == [[spatial, temporal[0]], [spatial, temporal[1]]]

    def test_a_run_that_has_its_place_in_the_grid_is_not_trained_again(self, ada: User, dataset: Dataset) -> None:
        run = make_run(dataset)
        streams = (run.experiment,)
        study = launch(ada, dataset, StudyConfig(streams=streams, axes=(DROPOUT,)), adopted=[run, make_run(dataset, "flow")])
        assert study.runs.count() == 2 and run in study.runs.all()

    def test_what_is_there_already_is_counted_apart_before_the_launch(self, ada: User, dataset: Dataset) -> None:
        run, split = make_run(dataset), dataset.splits.get(name="1")
        found = foreseen(ada, split, StudyConfig(streams=(run.experiment,), axes=(DROPOUT,)), [run])
        assert [finding.message for finding in found][:2] == [
            "1 run would be trained and tested.",
            "1 run of the grid is there already.",
        ]

    def test_nothing_is_left_of_a_grid_with_a_run_that_can_not_be_trained(self, ada: User, dataset: Dataset) -> None:
        with pytest.raises(UnfitStudy, match="no split “9”"):
            launch(ada, dataset, grid(Axis(field=SPLIT, values=("1", "9"))))
        assert not Study.objects.exists() and not Run.objects.exists() and not Job.objects.exists()

    def test_a_grid_without_end_is_refused(self, ada: User, dataset: Dataset) -> None:
        with pytest.raises(UnfitStudy, match="300 runs"):
            launch(ada, dataset, grid(Axis(field=SEED, values=tuple(range(300)))))

    def test_what_is_there_is_not_launched_twice_and_what_was_deleted_is(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(),), axes=(SEEDS,)))
        before = set(study.runs.values_list("pk", flat=True))
        launch_missing(study, ada)
        assert set(study.runs.values_list("pk", flat=True)) == before and Fusion.objects.count() == 2
        study.runs.earliest("pk").delete()
        launch_missing(study, ada)
        assert study.runs.count() == 4 and Run.objects.count() == 4

    def test_added_values_grow_the_grid_and_launch_only_the_new_runs(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        add_values(study, SEED, [1], ada)
        assert study.runs.count() == 4
        assert Study.objects.get().grid.axis(SEED) == SEEDS


class TestStopping:
    def test_stop_stops_every_training_and_resume_goes_on_with_all(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        first = study.runs.earliest("pk").job
        Job.objects.filter(pk=first.pk).update(state=Job.State.RUNNING)
        assert is_live(study)
        stop_study(study)
        assert [run.job.state for run in study.runs.order_by("pk")] == ["running", "stopped"]
        assert study.runs.earliest("pk").job.stop_requested
        Job.objects.filter(pk=first.pk).update(state=Job.State.STOPPED)
        assert not is_live(study)
        resume_study(study, ada)
        assert {run.job.state for run in study.runs.all()} == {"queued"}

    def test_a_training_that_failed_is_tried_again_with_all_that_waits_for_it(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(),), axes=(SEEDS,)))
        Job.objects.filter(kind__in=("train", "evaluate", "fuse")).update(state=Job.State.FAILED, failure={"code": "Dependency"})
        resume_study(study, ada)
        assert set(Job.objects.exclude(kind="flow").values_list("state", flat=True)) <= {"queued", "waiting"}


class TestResults:
    def test_a_row_is_the_mean_and_sample_deviation_over_its_repeats(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT, SEEDS, Axis(field=SPLIT, values=("1", "2"))))
        finish(study, wrong=1)
        low, high = rows(study.grid, points(study), study.dataset)
        assert (low.settings, high.settings) == ({"model.dropout": 0.5}, {"model.dropout": 0.9})
        assert low.spread("top1").values == pytest.approx((1 / 3, 1, 1, 1))
        assert low.spread("top1").sd == pytest.approx(stdev([1 / 3, 1, 1, 1])) and low.spread("top1").mean == pytest.approx(10 / 12)
        assert (str(low.spread("top1")), str(high.spread("top1"))) == ("83 ± 33", "100 ± 0")
        assert low.protocol == "5 frames × 1 crop, class probabilities averaged" and low.wanted == 4

    def test_one_test_has_no_deviation_and_none_has_no_mean(self) -> None:
        assert (str(Spread((0.5,))), str(Spread((0.5,), 99)), str(Spread(()))) == ("50.0", "50", "–")

    def test_protocols_are_not_mixed(self, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(SEEDS))
        finish(study)
        other = make_evaluation(study.runs.earliest("pk"))
        words = "1 frame × 1 crop, class probabilities averaged"
        Evaluation.objects.filter(pk=other.pk).update(
            metrics={**other.metrics, "protocol": {**other.metrics["protocol"], "description": words}}
        )
        assert [(row.protocol, len(row.measured)) for row in rows(study.grid, points(study), study.dataset)] == [
            ("5 frames × 1 crop, class probabilities averaged", 2), (words, 1),
        ]  # fmt: skip

    def test_a_fusion_has_its_own_row(self, dataset: Dataset) -> None:
        runs = [make_run(dataset), make_run(dataset, "flow")]
        fusion = make_fusion([make_evaluation(run) for run in runs])
        config = StudyConfig(streams=tuple(run.experiment for run in runs), fusions=(FusionConfig(),))
        study = launch(dataset.owner, dataset, config, adopted=runs)
        assert Fusion.objects.get() == fusion
        assert [(row.source.name, str(row.spread("top1"))) for row in rows(study.grid, points(study), study.dataset)] == [
            ("RGB frames", "100"), ("Optical flow", "100"), ("Fusion: Average", "100"),
        ]  # fmt: skip


class TestPages:
    def posted(self, **changes: Any) -> dict[str, Any]:
        return {"name": "λ", "seeds": "1", "axis0-field": "model.dropout", "axis0-values": "0.5, 0.9", **changes}

    def test_a_run_is_varied_from_its_page(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        page = as_ada.get(f"/experiments/studies/new?run={run.pk}").content.decode()
        assert f"Vary {run.name}" in page and "Learning-rate drops" in page
        answer = as_ada.post(f"/experiments/studies/new?run={run.pk}", self.posted(split=run.split_id, seeds="2"))
        study = Study.objects.get()
        assert answer.url == f"/experiments/studies/{study.pk}/"  # type: ignore[attr-defined]
        assert study.runs.count() == 4 and run in study.runs.all()

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"axis0-values": "0.5, 1.5"}, "Must be less than 1; you gave 1.5."),
            ({"axis0-values": ""}, "Give one value or more."),
            ({"axis0-field": ""}, "Choose the field that takes these values."),
            ({"axis0-field": "model.trainable", "axis0-values": "some"}, "“some” is none of: All layers, Last layer only."),
            ({"axis0-field": "data.crop_size", "axis0-values": "300"}, "A crop of 300 px does not fit"),
            ({"axis1-field": "model.dropout", "axis1-values": "0.1"}, "A field can be varied once."),
            ({"axis0-field": "owner"}, "Select a valid choice"),
        ],
    )
    def test_what_does_not_fit_is_said_and_nothing_is_queued(
        self, as_ada: Client, dataset: Dataset, changes: dict[str, str], words: str
    ) -> None:
        run = make_run(dataset)
        answer = as_ada.post(f"/experiments/studies/new?run={run.pk}", self.posted(split=run.split_id, **changes))
        assert words in answer.content.decode()
        assert Run.objects.count() == 1 and not Study.objects.exists()

    def test_checking_says_how_many_runs_there_would_be_and_queues_none(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        data = {"split": run.split_id, "seeds": "3", "axis1-field": "data.crop_size", "axis1-values": "224, 300", "action": "check"}
        page = as_ada.post(f"/experiments/studies/new?run={run.pk}", self.posted(**data)).content.decode()
        assert "11 runs would be trained and tested." in page and "1 run of the grid is there already." in page
        assert page.count("A crop of 300 px does not fit") == 1 and page.count("has room for all 6 training videos") == 1
        assert Run.objects.count() == 1 and not Study.objects.exists()

    def test_choices_may_be_called_by_their_names_and_lists_end_at_semicolons(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        data = {"axis0-field": "model.trainable", "axis0-values": "all layers，last_layer"}
        as_ada.post(f"/experiments/studies/new?run={run.pk}", self.posted(split=run.split_id, **data))
        data = {"axis0-field": "training.milestones", "axis0-values": "3, 5; 7"}
        as_ada.post(f"/experiments/studies/new?run={run.pk}", self.posted(split=run.split_id, **data))
        assert [study.grid.axes[0].values for study in Study.objects.order_by("pk")] == [("all", "last_layer"), ([3, 5], [7])]

    def test_two_streams_are_varied_from_their_fusion(self, as_ada: Client, dataset: Dataset) -> None:
        fusion = make_fusion([make_evaluation(make_run(dataset)), make_evaluation(make_run(dataset, "flow"))])
        data = self.posted(split=fusion.split_id, **{"axis0-field": "data.input.stack_len", "axis0-values": "5, 2"})
        as_ada.post(f"/experiments/studies/new?fusion={fusion.pk}", data)
        assert Study.objects.get().runs.count() == 3 and Fusion.objects.count() == 2

    @pytest.mark.parametrize("preset", STUDIES)
    def test_the_study_of_a_paper_is_launched_as_it_stands(self, as_ada: Client, ada: User, dataset: Dataset, preset: str) -> None:
        further = {"also": make_dataset(ada).splits.get().pk} if STUDIES[preset].is_multi_task else {}
        page = as_ada.get(f"/experiments/studies/new?preset={preset}")
        data = {form.add_prefix(name): form.initial.get(name, "") for form in page.context["form"].axes for name in ("field", "values")}
        launch = page.context["launch"]
        split = dataset.splits.get(name="1").pk
        data |= {"name": "paper", "split": split, **further, **({"all_splits": "on"} if launch.initial["all_splits"] else {})}
        assert as_ada.post(f"/experiments/studies/new?preset={preset}", data).status_code == 302
        axes = Study.objects.get().grid.axes
        expected = STUDIES[preset].config.axes
        over_splits = any(axis.field == SPLIT for axis in expected)
        assert axes == ((Axis(field=SPLIT, values=("1", "2")),) if over_splits else expected)

    def test_a_multi_task_study_asks_for_the_further_dataset_of_its_temporal_stream(
        self, as_ada: Client, ada: User, dataset: Dataset
    ) -> None:
        address, first = "/experiments/studies/new?preset=two_stream_multi_task", dataset.splits.get(name="1")
        data = self.posted(split=first.pk, **{"axis0-field": "", "axis0-values": ""})
        assert "This field is required" in as_ada.post(address, data).content.decode()
        other = make_dataset(ada, ("run", "sit"), name="HMDB-51").splits.get()
        as_ada.post(address, {**data, "also": other.pk})
        learnt = {run.modality: [each.dataset for each in run.experiment.data.also] for run in Run.objects.all()}
        assert learnt == {"rgb": [], "flow": [str(other.dataset_id)]}
        assert sorted(str(fusion.fusion.method) for fusion in Fusion.objects.all()) == ["average", "svm"]

    def test_a_run_on_all_splits_with_seeds_is_a_study(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/run/")
        data = {name: value for name, value in page.context["form"].initial.items() if value is not False}
        data = {name: ", ".join(map(str, value)) if isinstance(value, tuple) else value for name, value in data.items()}
        split = dataset.splits.get(name="1").pk
        answer = as_ada.post("/experiments/new/run/", {**data, "name": "thrice", "split": split, "all_splits": "on", "seeds": "2"})
        assert answer.url == f"/experiments/studies/{Study.objects.get().pk}/"  # type: ignore[attr-defined]
        assert Study.objects.get().runs.count() == 4

    def test_both_streams_on_all_splits_are_a_study_with_a_fusion_on_each(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/two-stream/")
        forms = [page.context[name] for name in ("spatial", "temporal", "fusion")]
        bound = {field.html_name: field.field.prepare_value(field.initial) for form in forms for field in form}
        data = {name: value for name, value in bound.items() if value is not False}
        launch = {"name": "both", "split": dataset.splits.get(name="1").pk, "all_splits": "on"}
        assert as_ada.post("/experiments/new/two-stream/", {**data, **launch}).status_code == 302
        study = Study.objects.get()
        assert sorted((run.modality, run.split.name) for run in study.runs.all()) == [
            ("flow", "1"),
            ("flow", "2"),
            ("rgb", "1"),
            ("rgb", "2"),
        ]
        fusions = Fusion.objects.order_by("pk")
        assert [fusion.split.name for fusion in fusions] == ["1", "2"]
        assert [{member.evaluation.run.split_id for member in fusion.memberships.all() if member.evaluation.run} for fusion in fusions] == [
            {fusion.split_id} for fusion in fusions
        ]

    def test_the_page_shows_numbers_their_protocol_and_the_papers_row(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT, SEEDS))
        finish(study, wrong=1)
        page = as_ada.get(f"/experiments/studies/{study.pk}/").content.decode()
        assert "67 ± 47" in page and "2 / 2" in page and "5 frames × 1 crop, class probabilities averaged" in page
        assert "Simonyan &amp; Zisserman 2014, Table 1a" in page and "52.3" in page and "42.5" in page
        assert page.count("state-") or page.count("badge") >= 4
        assert "hx-trigger" not in page
        assert "52.3" not in as_ada.get(f"/experiments/studies/{study.pk}/?beside=two_stream_4").content.decode()

    def test_of_few_videos_a_row_says_how_many_of_them_are_right(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        finish(study, wrong=1)
        page = as_ada.get(f"/experiments/studies/{study.pk}/").content.decode()
        assert "2 of 6" in page and "6 of 6" in page and page.count('data-title="Videos">6</td>') == 2
        assert "<strong>33</strong>" in page and "Guessing one of 3 classes: 33 %." in page

    def test_the_chart_has_a_line_a_source_and_the_papers_numbers_beside(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        length = Axis(field="data.input.stack_len", values=(2, 5))
        study = launch(ada, dataset, StudyConfig(streams=(SPATIAL, TEMPORAL), axes=(length, SEEDS)))
        finish(study, wrong=1)
        figure = as_ada.get(f"/experiments/studies/{study.pk}/?beside=two_stream_4").context["figure"]
        names = [(trace["name"], trace["x"], trace["y"]) for trace in figure["data"]]
        assert names == [
            ("RGB frames", [2, 5], [66.67, 66.67]),
            ("RGB frames, Table 4", [2, 5], [73.0, 73.0]),
            ("Optical flow", [2, 5], [100, 100]),
            ("Optical flow, Table 4", [2, 5], [83.7, 83.7]),
        ]
        assert figure["data"][0]["error_y"]["array"] == [47.14, 47.14] and figure["layout"]["xaxis"]["tickvals"] == [2, 5]

    def test_values_that_are_no_numbers_stand_under_their_names(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(Axis(field="data.flip", values=(True, False))))
        (trace,) = as_ada.get(f"/experiments/studies/{study.pk}/?beside=none").context["figure"]["data"]
        assert (trace["x"], trace["y"]) == (["✓", "–"], [None, None])

    def test_while_something_moves_the_page_asks_again(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        page = as_ada.get(f"/experiments/studies/{study.pk}/").content.decode()
        assert 'hx-trigger="every 3s"' in page and "0 / 1" in page
        part = as_ada.get(f"/experiments/studies/{study.pk}/", headers={"HX-Request": "true"}).content.decode()
        assert part.startswith('<div id="study"')

    def test_values_are_added_on_the_page_and_bad_ones_are_told(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        add = f"/experiments/studies/{study.pk}/add"
        as_ada.post(add, {"field": "model.dropout", "values": "0.7"})
        as_ada.post(add, {"field": SEED, "values": "1"})
        assert study.runs.count() == 6
        assert "Must be less than 1" in as_ada.post(add, {"field": "model.dropout", "values": "2"}, follow=True).content.decode()
        assert "no split “9”" in as_ada.post(add, {"field": SPLIT, "values": "9"}, follow=True).content.decode()
        assert study.runs.count() == 6 and Study.objects.get().grid.axis(SPLIT) is None

    def test_the_table_as_csv_and_latex(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT, SEEDS))
        finish(study, wrong=1)
        text = as_ada.get(f"/experiments/studies/{study.pk}/study.csv").content.decode("utf-8-sig")
        low, high = csv.DictReader(io.StringIO(text))
        assert (low["model.dropout"], low["top1_mean"][:5], low["published"]) == ("0.5", "0.666", "0.425")
        assert (low["videos"], low["runs"]) == ("6", "2")
        assert (high["top1_sd"], high["protocol"]) == ("0.0", "5 frames × 1 crop, class probabilities averaged")
        latex = as_ada.get(f"/experiments/studies/{study.pk}/study.tex").content.decode()
        assert r"RGB frames & 0.5 & 67 $\pm$ 47 & " in latex and r"Top-1 (\%)" in latex and r"\bottomrule" in latex
        assert "top5_mean" in low and "Top-5" not in latex, "of three classes the five best always have the true one"

    @pytest.mark.parametrize(("deed", "said"), [("stop", "Nothing runs"), ("resume", "Every run is done")])
    def test_what_has_nothing_to_do_says_so(self, as_ada: Client, ada: User, dataset: Dataset, deed: str, said: str) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        finish(study)
        assert said in as_ada.post(f"/experiments/studies/{study.pk}/{deed}", follow=True).content.decode()

    def test_what_is_still_stopping_does_not_go_on_yet_and_is_told(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        Job.objects.filter(pk=study.runs.earliest("pk").job_id).update(state=Job.State.RUNNING, stop_requested=True)
        page = as_ada.post(f"/experiments/studies/{study.pk}/resume", follow=True).content.decode()
        assert "1 run is still saving its checkpoint" in page

    def test_runs_that_saw_different_states_of_the_dataset_are_told(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        finish(study)
        first, second = study.runs.order_by("pk")
        Run.objects.filter(pk=first.pk).update(facts={"snapshot": "a"})
        assert "The dataset changed between these runs" not in as_ada.get(f"/experiments/studies/{study.pk}/").content.decode()
        Run.objects.filter(pk=second.pk).update(facts={"snapshot": "b"})
        assert "The dataset changed between these runs" in as_ada.get(f"/experiments/studies/{study.pk}/").content.decode()

    def test_a_papers_numbers_stand_beside_by_themselves_only_where_the_dataset_is_the_papers(
        self, as_ada: Client, ada: User, dataset: Dataset
    ) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        address = f"/experiments/studies/{study.pk}/"
        assert as_ada.get(address).context["table"].beside == "two_stream_1a"
        Dataset.objects.filter(pk=dataset.pk).update(name="fights")
        assert as_ada.get(address).context["table"].beside == ""
        assert as_ada.get(f"{address}?beside=two_stream_1a").context["table"].beside == "two_stream_1a"

    def test_a_study_is_deleted_without_its_runs(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        study = launch(ada, dataset, grid(DROPOUT))
        as_ada.post(f"/experiments/studies/{study.pk}/dissolve")
        assert not Study.objects.exists() and Run.objects.count() == 2

    def test_the_list_shows_studies_and_those_of_the_papers(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        assert "No studies yet" in as_ada.get("/experiments/studies/").content.decode()
        launch(ada, dataset, grid(DROPOUT))
        page = as_ada.get("/experiments/studies/").content.decode()
        assert "a study" in page and all(preset.title in page for preset in STUDIES.values())

    def test_few_queries_whatever_the_size(self, as_ada: Client, ada: User, dataset: Dataset, django_assert_max_num_queries: Any) -> None:
        study = launch(
            ada,
            dataset,
            StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(),), axes=(Axis(field=SEED, values=tuple(range(8))),)),
        )
        as_ada.get(f"/experiments/studies/{study.pk}/")
        with django_assert_max_num_queries(20):
            assert as_ada.get(f"/experiments/studies/{study.pk}/").status_code == 200


PAGES = ("", "study.csv", "study.tex")
DEEDS = ("add", "stop", "resume", "dissolve")


def test_outsiders_find_nothing_viewers_look_and_only_editors_act(client: Client, ada: User, dataset: Dataset) -> None:
    study = launch(ada, dataset, grid(DROPOUT))
    viewer, outsider = make_user("vic"), make_user("eve")
    share(dataset, viewer)
    for person, status in ((viewer, 200), (outsider, 404)):
        client.force_login(person)
        assert {client.get(f"/experiments/studies/{study.pk}/{page}").status_code for page in PAGES} == {status}
        assert {client.post(f"/experiments/studies/{study.pk}/{deed}").status_code for deed in DEEDS} == {404}
        run = study.runs.earliest("pk")
        assert client.get(f"/experiments/studies/new?run={run.pk}").status_code == status
    client.logout()
    assert client.get(f"/experiments/studies/{study.pk}/").status_code == 302


class TestPublished:
    def test_ours_stand_beside_the_rows_that_describe_them(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        runs = [make_run(dataset), make_run(dataset, "flow")]
        fusion = make_fusion([make_evaluation(run, lambda label, _position: 0) for run in runs])
        page = as_ada.get(f"/experiments/published/two_stream_4/?ours=fusion-{fusion.pk}").content.decode()
        spatial, temporal, average, svm = page.partition("Spatial stream ConvNet")[2].split("</tr>")[:4]
        assert "73.0" in spatial and ">33<" in spatial and "5 frames × 1 crop" in spatial
        assert ">33<" in temporal and ">100<" in average and "5 frames × 1 crop" in average
        assert "88.0" in svm and ">100<" not in svm

    def test_what_no_row_describes_stands_below(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run)
        page = as_ada.get(f"/experiments/published/two_stream_1b/?ours=run-{run.pk}")
        assert [words for _column, words, _row, _spread in page.context["comparison"].others] == ["RGB frames"]

    def test_the_table_with_ours_as_csv_and_latex(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run)
        text = as_ada.get(f"/experiments/published/two_stream_4/table.csv?ours=run-{run.pk}").content.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text)) if line[0] == "Spatial stream ConvNet"]
        assert [line[1:4] for line in lines] == [
            ["Simonyan & Zisserman 2014, Table 4", "UCF101", "73.0"],
            ["Simonyan & Zisserman 2014, Table 4", "HMDB51", "40.5"],
            ["rgb run", "My UCF-101", "100"],
        ]
        assert r"Simonyan \& Zisserman" in as_ada.get("/experiments/published/two_stream_4/table.tex").content.decode()

    @pytest.mark.parametrize("address", ["nonsense/", "two_stream_4/?ours=run-999", "two_stream_4/?ours=x"])
    def test_what_is_not_there_or_not_theirs_to_see_is_not_found(self, as_ada: Client, address: str) -> None:
        assert as_ada.get(f"/experiments/published/{address}").status_code == 404

    def test_a_run_of_somebody_else_is_not_found(self, as_ada: Client) -> None:
        run = make_run(make_dataset(make_user("bob")))
        assert as_ada.get(f"/experiments/published/two_stream_4/?ours=run-{run.pk}").status_code == 404

    def test_the_list_has_every_table(self, as_ada: Client) -> None:
        page = as_ada.get("/experiments/published/").content.decode()
        assert page.count("Simonyan &amp; Zisserman 2014") == 5 and "Table 1b" in page


def test_latex_prints_text_as_it_is() -> None:
    text = tabular("50 % & more", "study-1", ["a_b", "#1", "Protocol"], [["x\\y", "1 ± 2", ""], ["{", "~^", ""]])
    assert r"\caption{50 \% \& more}" in text and r"a\_b & \#1 & Protocol \\" in text
    assert r"x\textbackslash{}y & 1 $\pm$ 2 &  \\" in text and r"\{ & \textasciitilde{}\textasciicircum{} &  \\" in text


def test_latex_says_each_protocol_once_below_the_table() -> None:
    lines = [["rgb", "50", "5 frames × 1 crop"], ["flow", "60", "25 frames × 10 crops"], ["both", "70", "5 frames × 1 crop"]]
    text = tabular("A study", "study-1", ["Source", "Top-1", "Protocol"], lines)
    assert r"rgb & 50 & 1 \\" in text and r"flow & 60 & 2 \\" in text and r"both & 70 & 1 \\" in text
    assert text.count(r"5 frames $\times$ 1 crop") == 1 and r"{\footnotesize 2: 25 frames $\times$ 10 crops}" in text
    assert r"\label{tab:study-1}" in text


def test_a_config_of_a_flow_method_that_is_varied_takes_its_defaults(ada: User, dataset: Dataset) -> None:
    method = Axis(field="data.input.flow.method.kind", values=("farneback", "dis"))
    study = launch(ada, dataset, StudyConfig(streams=(TEMPORAL,), axes=(method,)))
    inputs = [run.experiment.data.input for run in study.runs.order_by("pk")]
    assert [one.flow.method.kind for one in inputs if isinstance(one, FlowInput)] == ["farneback", "dis"]
    assert with_value(TEMPORAL, method.field, "farneback") == TEMPORAL
