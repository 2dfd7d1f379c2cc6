"""Launching experiments: rows and jobs in the right order, and nothing that can't be trained gets queued."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ml.config.data import FlowInput
from ml.config.evaluation import FusionConfig, Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.flow import DIS, FlowSpec
from ml.config.presets import PRESETS
from ml.config.presets.small import SMALL
from tests.webapp.factories import make_dataset, make_evaluation, make_run, make_user, posted, share
from webapp.datasets.models import Dataset, FlowCache, SplitEntry, Video
from webapp.experiments.models import Evaluation, Fusion, Run
from webapp.experiments.preflight import preflight
from webapp.experiments.services.fusions import launch_two_stream
from webapp.experiments.services.launch import UnfitRun, launch_run, queue_for, request_evaluation
from webapp.experiments.systems import PAIRS
from webapp.jobs.models import Job, WorkerNode

pytestmark = pytest.mark.django_db
SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config


def before(job: Job) -> list[str]:
    return [earlier.kind for earlier in job.after.order_by("pk")]


def launch(user: User, dataset: Dataset, config: ExperimentConfig = SPATIAL) -> Run:
    return launch_run(user, dataset, dataset.splits.get(), config, "a run")


def extract_all(dataset: Dataset, config: ExperimentConfig) -> None:
    assert isinstance(config.data.input, FlowInput)
    spec = config.data.input.flow
    FlowCache.objects.create(dataset=dataset, spec=spec.model_dump(mode="json"), spec_id=spec.spec_id(), videos_done=dataset.videos.count())


class TestLaunching:
    def test_an_rgb_run_is_queued_at_once_and_its_test_waits_for_it(self, ada: User, dataset: Dataset) -> None:
        run = launch(ada, dataset)
        evaluation = run.evaluations.get()
        assert run.job.state == Job.State.QUEUED and before(run.job) == []
        assert evaluation.job.state == Job.State.WAITING and before(evaluation.job) == ["train"]
        assert (evaluation.subset, evaluation.protocol_config) == ("test", SPATIAL.evaluation)
        assert evaluation.job.subject_id == evaluation.pk and run.job.subject_id == run.pk

    def test_a_flow_run_waits_for_the_extraction_of_its_flow(self, ada: User, dataset: Dataset) -> None:
        run = launch(ada, dataset, TEMPORAL)
        assert run.job.state == Job.State.WAITING and before(run.job) == ["flow"]
        assert FlowCache.objects.get().spec_id == TEMPORAL.data.input.flow.spec_id()  # type: ignore[union-attr]

    def test_flow_that_is_there_is_not_extracted_again(self, ada: User, dataset: Dataset) -> None:
        extract_all(dataset, TEMPORAL)
        assert launch(ada, dataset, TEMPORAL).job.state == Job.State.QUEUED
        assert not Job.objects.filter(kind=Job.Kind.FLOW).exists()

    def test_a_run_on_rgb_differences_needs_no_flow_and_is_called_by_name(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        run = launch(ada, dataset, PRESETS["cpu_tsn_rgb_diff"].config)
        assert run.job.state == Job.State.QUEUED and before(run.job) == []
        for address in (f"/experiments/{run.pk}/", "/experiments/?modality=rgb_diff"):
            page = as_ada.get(address).content.decode()
            assert "RGB difference" in page and run.name in page
        assert run.name not in as_ada.get("/experiments/?modality=rgb").content.decode()

    def test_the_config_is_kept_with_its_split_and_without_a_folder(self, ada: User, dataset: Dataset) -> None:
        elsewhere = SPATIAL.replace(data=SPATIAL.data.replace(dataset="/somewhere", split="9"))
        config = launch(ada, dataset, elsewhere).experiment
        assert config == SPATIAL.replace(data=SPATIAL.data.replace(split="1"))

    def test_two_streams_are_trained_tested_and_fused_in_this_order(self, ada: User, dataset: Dataset) -> None:
        fusion = launch_two_stream(ada, dataset, dataset.splits.get(), SPATIAL, TEMPORAL, FusionConfig(), "both")
        members = [member.evaluation for member in fusion.memberships.select_related("evaluation__run__job")]
        assert [before(one.run.job) for one in members if one.run] == [[], ["flow"]]
        assert before(fusion.evaluation.job) == ["evaluate", "evaluate"]
        assert set(fusion.evaluation.job.after.all()) == {one.job for one in members}
        assert fusion.evaluation.job.state == Job.State.WAITING

    def test_nothing_is_left_of_two_streams_when_the_second_can_not_be_trained(self, ada: User, dataset: Dataset) -> None:
        bad = TEMPORAL.replace(data=TEMPORAL.data.replace(crop_size=128))
        with pytest.raises(UnfitRun, match="A crop of 128 px"):
            launch_two_stream(ada, dataset, dataset.splits.get(), SPATIAL, bad, FusionConfig(), "both")
        assert not Run.objects.exists() and not Job.objects.exists()

    def test_a_split_of_another_dataset_is_refused(self, ada: User, dataset: Dataset) -> None:
        other = make_dataset(ada, name="other")
        with pytest.raises(UnfitRun, match="belongs to another dataset"):
            launch_run(ada, dataset, other.splits.get(), SPATIAL, "a run")

    def test_the_same_evaluation_is_not_computed_twice(self, ada: User, dataset: Dataset) -> None:
        run = make_run(dataset)
        first = request_evaluation(run, "test", Protocol(frames=3), ada)
        assert request_evaluation(run, "test", Protocol(frames=3), ada) == first
        Evaluation.objects.filter(pk=first.pk).update(protocol={"frames": 3, "crops": 10, "aggregation": "softmax"})
        assert request_evaluation(run, "test", Protocol(frames=3), ada) == first, "what is older than a field had its default"
        assert request_evaluation(run, "test", Protocol(frames=3, sampling="middles"), ada) != first
        assert request_evaluation(run, "train", Protocol(frames=3), ada) != first
        assert request_evaluation(run, "test", Protocol(frames=4), ada) != first

    def test_an_evaluation_that_failed_may_be_asked_for_again(self, ada: User, dataset: Dataset) -> None:
        run = make_run(dataset)
        first = request_evaluation(run, "test", Protocol(), ada)
        Job.objects.filter(pk=first.job_id).update(state=Job.State.FAILED)
        assert request_evaluation(run, "test", Protocol(), ada) != first

    def test_a_gpu_is_used_when_asked_for_or_when_a_worker_has_one(self) -> None:
        assert queue_for(SPATIAL) == "cpu"
        WorkerNode.objects.create(name="w1", queues=["cpu", "gpu"])
        assert queue_for(SPATIAL) == "gpu"
        on_cpu = SPATIAL.replace(training=SPATIAL.training.replace(device="cpu"))
        assert queue_for(on_cpu) == "cpu"


class TestPreflight:
    def test_a_sound_run_has_nothing_to_say(self, dataset: Dataset) -> None:
        quiet = SPATIAL.replace(training=SPATIAL.training.replace(batch_size=4))
        assert preflight(dataset.splits.get(), quiet) == []

    @pytest.mark.parametrize(
        ("section", "changes", "level", "words"),
        [
            ("data", {"crop_size": 96}, "error", "A crop of 96 px does not fit into a short side of 72 px"),
            ("data", {"short_side": 512}, "warning", "short side of 256 px and would be enlarged to 512 px"),
            ("training", {"batch_size": 64}, "note", "A batch of 64 has room for all 6 training videos: every epoch is one step."),
            ("training", {"batch_size": 64, "steps_per_epoch": 9}, "note", "it has some of them twice"),
            ("training", {"milestones": (3, 20, 50)}, "note", "never drops at 20, 50: the training has 20 epochs"),
            ("model", {"trainable": "last_layer"}, "warning", "features that nobody trained"),
            ("model", {"pretrained": "imagenet"}, "warning", "the worker's machine must have them"),
            ("data", {"input": FlowInput()}, "note", "extracted yet"),
        ],
    )
    def test_what_would_surprise_is_said(self, dataset: Dataset, section: str, changes: dict[str, Any], level: str, words: str) -> None:
        config = SPATIAL.replace(**{section: getattr(SPATIAL, section).replace(**changes)})
        assert any(found.level == level and words in found.message for found in preflight(dataset.splits.get(), config))

    @pytest.mark.parametrize(
        ("kept", "words"),
        [
            ({"subset": "test"}, "no training videos"),
            ({"subset": "train"}, "no test videos"),
            ({"video__label__index": 0}, "belong to 1 class;"),
        ],
    )
    def test_a_split_without_what_a_training_needs_is_an_error(self, dataset: Dataset, kept: dict[str, Any], words: str) -> None:
        SplitEntry.objects.exclude(**kept).delete()
        errors = [found.message for found in preflight(dataset.splits.get(), SPATIAL) if found.level == "error"]
        assert len(errors) == 1 and words in errors[0]

    def test_balanced_batches_need_two_videos_of_every_class(self, dataset: Dataset) -> None:
        balanced = SPATIAL.replace(training=SPATIAL.training.replace(sampling="balanced"))
        split = dataset.splits.get()
        assert not [found for found in preflight(split, balanced) if found.level == "error"]
        first, *others = SplitEntry.objects.filter(split=split, subset="train", video__label__index=0)
        SplitEntry.objects.filter(pk__in=[other.pk for other in others]).delete()
        errors = [found.message for found in preflight(split, balanced) if found.level == "error"]
        assert len(errors) == 1 and errors[0].endswith(f"these have one: {first.video.label}.")

    @pytest.mark.parametrize(("batch_size", "problems"), [(3, ["A class-balanced batch of 3 videos has no two pairs."]), (4, [])])
    def test_a_balanced_batch_has_room_for_two_pairs(self, dataset: Dataset, batch_size: int, problems: list[str]) -> None:
        asked = SPATIAL.replace(training=SPATIAL.training.replace(sampling="balanced", batch_size=batch_size))
        assert [found.message for found in preflight(dataset.splits.get(), asked) if found.level == "error"] == problems

    def test_refused_videos_do_not_count(self, dataset: Dataset) -> None:
        Video.objects.update(status=Video.Status.REFUSED)
        assert {found.level for found in preflight(dataset.splits.get(), SPATIAL)} == {"error"}


class TestPages:
    def test_the_gallery_shows_every_system(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/").content.decode()
        assert all(preset.title in page for preset in PRESETS.values())
        assert all(str(pair.title) in page for pair in PAIRS.values())
        assert "no dataset yet" not in page

    def test_what_runs_here_comes_first_and_the_papers_are_folded(self, as_ada: Client) -> None:
        page = as_ada.get("/experiments/new/").content.decode()
        open_part, folded = page.split("What the papers trained")
        assert all(f"preset={key}" in open_part for key in SMALL) and "<details" not in open_part
        assert all(f"preset={key}" in folded for key in PRESETS if key not in SMALL)
        assert folded.count("<details") == 3 and "No worker with a GPU was heard" in folded
        assert "weights are missing here" in folded

    @pytest.mark.parametrize(("num_gpus", "warned"), [(0, True), (1, False)])
    def test_the_gallery_warns_where_no_worker_has_a_gpu(self, as_ada: Client, num_gpus: int, warned: bool) -> None:
        WorkerNode.objects.create(name="jobs@here", queues=["cpu", "gpu"], info={"processes": 2, "gpus": num_gpus})
        assert ("No worker with a GPU was heard" in as_ada.get("/experiments/new/").content.decode()) is warned

    def test_in_two_streams_only_the_temporal_one_learns_further_datasets(self, as_ada: Client, ada: User, dataset: Dataset) -> None:
        other = make_dataset(ada, ("run", "sit"), name="postures").splits.get()
        page = as_ada.get("/experiments/new/two-stream/?preset=paper_multi_task")
        chosen = {"split": dataset.splits.get().pk, "also": other.pk}
        as_ada.post("/experiments/new/two-stream/", {**posted(page, "launch", "spatial", "temporal", "fusion"), **chosen})
        learnt = {run.modality: [each.dataset for each in run.experiment.data.also] for run in Run.objects.all()}
        assert learnt == {"rgb": [], "flow": [str(other.dataset_id)]}

    def test_without_a_dataset_both_forms_say_where_to_get_one(self, as_ada: Client) -> None:
        assert "no dataset yet" in as_ada.get("/experiments/new/").content.decode()
        for kind in ("run", "two-stream"):
            assert "No dataset to train on" in as_ada.get(f"/experiments/new/{kind}/").content.decode()

    @pytest.mark.parametrize("preset", PRESETS)
    def test_the_form_of_a_preset_launches_just_that(self, as_ada: Client, dataset: Dataset, preset: str) -> None:
        page = as_ada.get(f"/experiments/new/run/?preset={preset}")
        answer = as_ada.post(f"/experiments/new/run/?preset={preset}", posted(page, "launch", "form"))
        run = Run.objects.get()
        assert answer.url == f"/experiments/{run.pk}/"  # type: ignore[attr-defined]
        assert run.experiment == PRESETS[preset].config

    @pytest.mark.parametrize("pair", PAIRS)
    def test_both_streams_are_launched_from_one_form(self, as_ada: Client, dataset: Dataset, pair: str) -> None:
        page = as_ada.get(f"/experiments/new/two-stream/?preset={pair}")
        answer = as_ada.post("/experiments/new/two-stream/", posted(page, "launch", "spatial", "temporal", "fusion"))
        fusion = Fusion.objects.get()
        assert answer.url.endswith(f"/{fusion.pk}/")  # type: ignore[attr-defined]
        configs = [member.evaluation.source.experiment for member in fusion.memberships.all()]  # type: ignore[union-attr]
        assert configs == [PRESETS[PAIRS[pair].spatial].config, PRESETS[PAIRS[pair].temporal].config]
        assert fusion.fusion == PAIRS[pair].fusion

    def test_a_clone_starts_from_its_parents_config_and_remembers_it(self, as_ada: Client, dataset: Dataset) -> None:
        parent = make_run(dataset, "flow", name="first", crop_size=200)
        page = as_ada.get(f"/experiments/new/run/?clone={parent.pk}")
        data = {**posted(page, "launch", "form"), "training.learning_rate": "0.5"}
        as_ada.post(f"/experiments/new/run/?clone={parent.pk}", data)
        run = Run.objects.latest("pk")
        assert run.parent == parent and run.name == "first, again"
        assert run.experiment == parent.experiment.replace(training=parent.experiment.training.replace(learning_rate=0.5))

    def test_a_value_out_of_range_is_said_at_its_field_and_nothing_is_queued(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/run/")
        answer = as_ada.post("/experiments/new/run/", {**posted(page, "launch", "form"), "training.momentum": "1.5"})
        assert "Must be less than 1; you gave 1.5." in answer.content.decode()
        assert not Run.objects.exists()

    def test_checking_says_what_would_happen_and_queues_nothing(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/run/?preset=cpu_temporal")
        answer = as_ada.post("/experiments/new/run/?preset=cpu_temporal", {**posted(page, "launch", "form"), "action": "check"})
        assert "optical flow is not extracted yet" in answer.content.decode()
        assert not Run.objects.exists()

    def test_where_nothing_stands_against_it_checking_says_so_and_what_comes(self, as_ada: Client, dataset: Dataset) -> None:
        extract_all(dataset, TEMPORAL)
        page = as_ada.get("/experiments/new/run/?preset=cpu_temporal")
        data = {**posted(page, "launch", "form"), "training.batch_size": "4", "training.epochs": "3", "action": "check"}
        text = as_ada.post("/experiments/new/run/?preset=cpu_temporal", data).content.decode()
        assert "Nothing stands against it." in text and "Its flow (Farnebäck) is there already." in text
        assert "3 epochs on the 6 training videos" in text and "at most 6 steps" in text and "tested on the 6 test videos" in text

    def test_the_form_asks_for_its_checks_alone_as_it_changes(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/run/")
        data = {**posted(page, "launch", "form"), "action": "check"}
        headers = {"HX-Request": "true", "HX-Target": "findings"}
        large = as_ada.post("/experiments/new/run/", {**data, "training.batch_size": "512"}, headers=headers).content.decode()
        assert "A batch of 512 has room for all 6 training videos" in large and "<form" not in large
        small = as_ada.post("/experiments/new/run/", {**data, "training.batch_size": "2"}, headers=headers).content.decode()
        assert "has room" not in small and "Nothing stands against it." in small
        unreadable = as_ada.post("/experiments/new/run/", {**data, "training.batch_size": "x"}, headers=headers).content.decode()
        assert "Some values can" in unreadable

    def test_small_presets_start_with_flow_that_is_there_and_those_of_papers_with_their_own(self, as_ada: Client, dataset: Dataset) -> None:
        spec = FlowSpec(method=DIS())
        FlowCache.objects.create(dataset=dataset, spec=spec.model_dump(mode="json"), spec_id=spec.spec_id(), videos_done=12)
        methods = {}
        for preset in ("cpu_temporal", "paper_temporal"):
            form = as_ada.get(f"/experiments/new/run/?preset={preset}").context["form"]
            methods[preset] = form.config.data.input.flow.method.kind
        assert methods == {"cpu_temporal": "dis", "paper_temporal": PRESETS["paper_temporal"].config.data.input.flow.method.kind}  # type: ignore[union-attr]
        assert "Its flow (DIS) is there already." in as_ada.get("/experiments/new/two-stream/").content.decode()

    def test_flow_that_lacks_a_video_is_not_called_missing(self, dataset: Dataset) -> None:
        extract_all(dataset, TEMPORAL)
        FlowCache.objects.update(videos_done=11)
        assert "flow of 1 video is missing" in preflight(dataset.splits.get(), TEMPORAL)[-1].message

    def test_an_unfit_config_is_refused_with_the_reason(self, as_ada: Client, dataset: Dataset) -> None:
        page = as_ada.get("/experiments/new/run/")
        answer = as_ada.post("/experiments/new/run/", {**posted(page, "launch", "form"), "data.crop_size": "100"})
        assert "A crop of 100 px does not fit" in answer.content.decode() and not Run.objects.exists()

    def test_only_datasets_one_may_change_can_be_chosen(self, as_ada: Client, ada: User) -> None:
        foreign = make_dataset(make_user("bob"), name="bobs")
        share(foreign, ada, "viewer")
        page = as_ada.get("/experiments/new/run/")
        assert "No dataset to train on" in page.content.decode()
        mine = make_dataset(ada, name="mine")
        page = as_ada.get("/experiments/new/run/")
        data = {**posted(page, "launch", "form"), "split": str(foreign.splits.get().pk)}
        assert "Select a valid choice" in as_ada.post("/experiments/new/run/", data).content.decode()
        assert not Run.objects.exists()
        share(foreign, make_user("eve"), "editor")
        assert str(mine.splits.get().pk) in page.content.decode()

    def test_a_run_one_may_not_see_can_not_be_cloned(self, as_ada: Client) -> None:
        run = make_run(make_dataset(make_user("bob")))
        assert as_ada.get(f"/experiments/new/run/?clone={run.pk}").status_code == 404
        assert as_ada.get("/experiments/new/run/?clone=x").status_code == 404


class TestList:
    def test_without_runs_it_says_how_to_begin(self, as_ada: Client) -> None:
        assert "No runs yet" in as_ada.get("/experiments/").content.decode()

    def test_a_number_stands_with_its_protocol(self, as_ada: Client, dataset: Dataset) -> None:
        make_evaluation(make_run(dataset), lambda label, _position: 0)
        page = as_ada.get("/experiments/").content.decode()
        assert "33\u00a0%" in page and "5 frames × 1 crop" in page and 'title="5 frames × 1 crop, class probabilities averaged"' in page

    def test_the_number_of_queries_does_not_grow_with_the_runs(
        self, as_ada: Client, dataset: Dataset, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(50):
            make_evaluation(make_run(dataset, name=f"run {number}"))
        with django_assert_max_num_queries(10):
            page = as_ada.get("/experiments/").content.decode()
        assert page.count('name="runs"') == 50

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", ["c", "b", "a"]),
            ("search=B", ["b"]),
            ("modality=flow", ["b"]),
            ("state=failed", ["c"]),
            ("order=name", ["a", "b", "c"]),
            ("order=-top1", ["a", "b", "c"]),
            ("order=job__user__password", ["c", "b", "a"]),
            ("state=nonsense", ["c", "b", "a"]),
            ("archived=on", ["old"]),
        ],
    )
    def test_filters_and_order_are_in_the_address_and_only_allowed_ones_count(
        self, as_ada: Client, dataset: Dataset, query: str, names: list[str]
    ) -> None:
        make_evaluation(make_run(dataset, name="a"))
        make_evaluation(make_run(dataset, "flow", name="b"), lambda label, _position: 0)
        make_run(dataset, name="c", state="failed")
        Run.objects.filter(pk=make_run(dataset, name="old").pk).update(is_archived=True)
        page = as_ada.get(f"/experiments/?{query}").context["page"]
        found = [run.name for run in page]
        assert found == names if query != "order=-top1" else set(found) == set(names) and found.index("a") < found.index("b")

    def test_outsiders_see_nothing_and_viewers_see_the_runs(self, client: Client, dataset: Dataset) -> None:
        make_run(dataset, name="secret")
        client.force_login(make_user("eve"))
        assert "secret" not in client.get("/experiments/").content.decode()
        viewer = make_user("vic")
        share(dataset, viewer)
        client.force_login(viewer)
        assert "secret" in client.get("/experiments/").content.decode()


@pytest.mark.parametrize("path", ["", "new/", "new/run/", "new/two-stream/", "1/", "1/curves.json", "1/config.json"])
def test_the_anonymous_are_sent_to_the_login(client: Client, path: str) -> None:
    answer = client.get(f"/experiments/{path}")
    assert answer.status_code == 302 and answer.url.startswith("/accounts/login/")  # type: ignore[attr-defined]
