"""The page of one run: its tabs, its live parts, what can be done to it, and by whom."""

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from ml.config.evaluation import Protocol
from ml.config.experiment import ExperimentConfig
from ml.config.presets import PRESETS
from tests.webapp.factories import make_evaluation, make_fusion, make_prediction, make_run, make_user, share
from webapp.datasets.models import Dataset, Upload
from webapp.experiments.config_rows import config_rows
from webapp.experiments.models import Evaluation, Fusion, Run, RunPoint
from webapp.experiments.services.deletion import RunBusy, belongings, delete
from webapp.experiments.views.runs import TABS
from webapp.jobs.models import Job
from webapp.jobs.selectors import job_folder
from webapp.predictions.models import Prediction

pytestmark = pytest.mark.django_db
ACTIONS = ("evaluate", "notes", "archive")
READABLE = ("", "curves.json", "config.json")


def page_of(client: Client, run: Run, query: str = "", **headers: str) -> str:
    return client.get(f"/experiments/{run.pk}/?{query}", headers=headers).content.decode()


class TestPage:
    @pytest.mark.parametrize("tab", [*TABS, "nonsense"])
    @pytest.mark.parametrize("state", Job.State.values)
    def test_every_tab_is_there_in_every_state(self, as_ada: Client, dataset: Dataset, tab: str, state: str) -> None:
        run = make_run(dataset, "flow", state=state)
        page = page_of(as_ada, run, f"tab={tab}")
        assert page.count('aria-current="page"') == 2  # the navigation, and the tab
        assert run.name in page

    def test_the_head_names_the_number_with_its_protocol(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run, lambda label, _position: 0)
        page = page_of(as_ada, run, "tab=config")
        assert "33\u00a0%" in page and "5 frames × 1 crop, class probabilities averaged" in page

    def test_a_number_of_another_subset_is_not_the_runs_number(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run, subset="train")
        assert as_ada.get(f"/experiments/{run.pk}/").context["primary"] is None

    def test_the_classes_of_the_newest_test_are_drawn_as_on_its_own_page(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run, lambda label, _position: 0)
        newest = make_evaluation(run, lambda label, position: 1 if (label, position) == (0, 1) else label)
        make_evaluation(run, subset="train")
        own, on_run = (
            as_ada.get(address, {"tab": "classes", "cells": "counts"})
            for address in (f"/experiments/evaluations/{newest.pk}/", f"/experiments/{run.pk}/")
        )
        for figure in ("recall_figure", "confusion_figure"):
            assert on_run.context[figure] == own.context[figure]
        page = on_run.content.decode()
        assert "5 frames × 1 crop, class probabilities averaged" in page and f'href="/experiments/evaluations/{newest.pk}/"' in page
        assert "js/results.js" in page and 'data-chart="confusion-figure" data-cells' in page
        assert '<input type="hidden" name="tab" value="classes">' in page  # another order keeps the tab
        assert "Worst classes, and what they are taken for" in page

    @pytest.mark.parametrize("subset", [None, "train"])
    def test_there_are_no_classes_to_draw_before_the_first_test(self, as_ada: Client, dataset: Dataset, subset: str | None) -> None:
        run = make_run(dataset)
        if subset:
            make_evaluation(run, subset=subset)
        page = page_of(as_ada, run, "tab=classes")
        assert ">Classes</a>" not in page and "data-chart" not in page

    @pytest.mark.parametrize(("state", "is_live"), [("running", True), ("waiting", True), ("done", False), ("failed", False)])
    def test_the_live_parts_ask_again_while_something_is_open(self, as_ada: Client, dataset: Dataset, state: str, is_live: bool) -> None:
        page = page_of(as_ada, make_run(dataset, state=state))
        assert page.count('hx-trigger="every') == (2 if is_live else 0)

    def test_an_open_evaluation_keeps_the_page_live(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        make_evaluation(run, state=Job.State.RUNNING)
        assert "hx-trigger" in page_of(as_ada, run)

    @pytest.mark.parametrize("target", ["run-head", "run-tab"])
    def test_a_poll_gets_its_part_alone(self, as_ada: Client, dataset: Dataset, target: str) -> None:
        run = make_run(dataset, state="running")
        part = page_of(as_ada, run, "tab=log", **{"HX-Request": "true", "HX-Target": target})
        assert part.lstrip().startswith(f'<div id="{target}"') and "<html" not in part

    def test_a_failure_is_shown_in_plain_words_with_retry(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset, state="failed")
        card = {"code": "nan", "message": "The loss became NaN.", "advice": "Lower the learning rate.", "detail": "epoch 3"}
        Job.objects.filter(pk=run.job_id).update(failure=card)
        page = page_of(as_ada, run)
        assert all(words in page for words in ("The loss became NaN.", "Lower the learning rate.", "epoch 3", "Retry"))

    @pytest.mark.parametrize(("state", "button"), [("running", "Stop"), ("stopped", "Resume"), ("failed", "Retry"), ("queued", "Cancel")])
    def test_the_head_offers_what_the_state_allows(self, as_ada: Client, dataset: Dataset, state: str, button: str) -> None:
        assert f">{button}</button>" in page_of(as_ada, make_run(dataset, state=state))

    def test_the_log_is_the_end_of_the_jobs_log(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset, state="running")
        folder = job_folder(run.job_id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "log.txt").write_text("epoch 1 ended: <b>loss</b> 0.5\n")
        assert "epoch 1 ended: &lt;b&gt;loss&lt;/b&gt; 0.5" in page_of(as_ada, run, "tab=log")

    def test_the_config_marks_what_differs_from_the_parent(self, as_ada: Client, dataset: Dataset) -> None:
        parent, run = make_run(dataset, name="first"), make_run(dataset, name="second", crop_size=112)
        Run.objects.filter(pk=run.pk).update(parent=parent)
        page = page_of(as_ada, run, "tab=config")
        assert page.count('class="changed"') == 1 and "<strong>112</strong>" in page

    def test_a_run_of_its_own_stands_beside_the_nearest_preset(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        preset = PRESETS["paper_temporal"]
        config = preset.config.replace(
            data=preset.config.data.replace(dataset="elsewhere"), training=preset.config.training.replace(seed=7)
        )
        Run.objects.filter(pk=run.pk).update(config=config.model_dump(mode="json"))
        page = page_of(as_ada, run, "tab=config")
        assert preset.title in page
        assert page.count('class="changed"') == 1 and "<strong>7</strong>" in page

    def test_the_facts_are_words_and_no_dictionaries(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        facts = {
            "frame_spec": {"short_side": 96, "quality": 95},
            "parameters": 4927105,
            "summary": {"epochs": 20, "validation": {"loss": 1.1436747, "top1": 1 / 3}},
            "versions": {"torch": "2.13.0"},
            "device": "cpu",
        }
        Run.objects.filter(pk=run.pk).update(facts=facts)
        page = page_of(as_ada, run)
        for words in ("short side 96, quality 95", "4,927,105", "epochs 20, validation: loss 1.144, top-1 33.3\u00a0%", "torch 2.13.0"):
            assert words in page
        assert "&#x27;" not in page and page.count("cpu") == 0

    def test_each_section_of_the_config_stands_in_one_piece(self, dataset: Dataset) -> None:
        sections = [row.section for row in config_rows(make_run(dataset, "flow").experiment)]
        assert [section for section, _rows in groupby(sections)] == list(dict.fromkeys(sections))
        assert "Data · Input · Optical flow · Method" in sections

    def test_another_modality_is_a_difference_too(self, dataset: Dataset) -> None:
        rgb, flow = make_run(dataset).experiment, make_run(dataset, "flow").experiment
        changed = {str(row.title) for row in config_rows(flow, rgb) if row.has_changed}
        assert "Modality" in changed and "Stack length L" in changed and "Crop" not in changed


class TestCurves:
    def test_the_points_of_the_run_come_as_a_figure(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset, state="running")
        Job.objects.filter(pk=run.job_id).update(progress_total=200)  # 20 epochs of 10 steps
        RunPoint.objects.create(run=run, step=5, epoch=1, train={"cross_entropy": 2.0})
        RunPoint.objects.create(run=run, step=10, epoch=1, is_epoch_end=True, train={"loss": 1.5}, validation={"loss": 1.7, "top1": 0.5})
        answer = as_ada.get(f"/experiments/{run.pk}/curves.json?axis=epoch").json()
        assert answer["is_live"] is True
        assert [(trace["name"], trace["x"], trace["y"]) for trace in answer["figure"]["data"]] == [
            ("training, within epochs", [0.5], [2.0]),
            ("training", [1.0], [1.5]),
            ("validation", [1.0], [1.7]),
            ("validation accuracy", [1.0], [0.5]),
        ]
        assert as_ada.get(f"/experiments/{run.pk}/curves.json?axis=step").json()["figure"]["data"][0]["x"] == [5]

    def test_a_run_that_is_over_is_not_asked_for_again(self, as_ada: Client, dataset: Dataset) -> None:
        answer = as_ada.get(f"/experiments/{make_run(dataset).pk}/curves.json").json()
        assert (answer["figure"]["data"], answer["is_live"]) == ([], False)


class TestActions:
    def test_the_exported_config_is_the_runs(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset, name="../<b>é")
        answer = as_ada.get(f"/experiments/{run.pk}/config.json")
        assert ExperimentConfig.model_validate(json.loads(answer.content)) == run.experiment
        assert answer["Content-Disposition"] == f'attachment; filename="be-{run.pk}.json"'

    def test_an_evaluation_is_asked_for_with_subset_and_protocol(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        answer = as_ada.post(
            f"/experiments/{run.pk}/evaluate",
            {"subset": "train", "frames": "3", "crops": "5", "aggregation": "logits", "sampling": "spread"},
        )
        evaluation = Evaluation.objects.get()
        assert answer.url == f"/experiments/evaluations/{evaluation.pk}/"  # type: ignore[attr-defined]
        assert (evaluation.subset, evaluation.protocol_config) == ("train", Protocol(frames=3, crops=5, aggregation="logits"))
        assert evaluation.job.state == Job.State.QUEUED

    @pytest.mark.parametrize(
        ("change", "words"),
        [({"frames": "0"}, "Must be at least 1; you gave 0."), ({"subset": "validation"}, "Select a valid choice")],
    )
    def test_a_bad_protocol_is_refused_with_the_reason(self, as_ada: Client, dataset: Dataset, change: dict[str, str], words: str) -> None:
        run = make_run(dataset, validation_fraction=0)
        data = {"subset": "test", "frames": "3", "crops": "5", "aggregation": "logits", "sampling": "spread", **change}
        page = as_ada.post(f"/experiments/{run.pk}/evaluate", data, follow=True).content.decode()
        assert words in page and not Evaluation.objects.exists()

    @pytest.mark.parametrize(
        ("data", "facts", "is_offered"),
        [
            ({}, {}, True),
            ({}, {"validation_videos": 3}, True),
            ({}, {"validation_videos": 0}, False),
            ({"validation_fraction": 0}, {}, False),
            ({"validation_fraction": 0, "validation_folds": 3}, {}, True),
        ],
    )
    def test_validation_videos_that_the_run_itself_held_out_can_be_scored(
        self, as_ada: Client, dataset: Dataset, data: dict[str, Any], facts: dict[str, int], is_offered: bool
    ) -> None:
        run = make_run(dataset, **data)
        Run.objects.filter(pk=run.pk).update(facts=facts)
        assert ('<option value="validation">' in page_of(as_ada, run)) is is_offered
        asked = {"subset": "validation", "frames": "3", "crops": "1", "aggregation": "softmax", "sampling": "spread"}
        as_ada.post(f"/experiments/{run.pk}/evaluate", asked)
        assert list(run.evaluations.values_list("subset", flat=True)) == ["validation"] * is_offered

    def test_notes_are_kept_and_escaped(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        page = as_ada.post(f"/experiments/{run.pk}/notes", {"notes": "<script>x</script>"}, follow=True).content.decode()
        assert "&lt;script&gt;x&lt;/script&gt;" in page and "<script>x" not in page

    def test_the_archive_is_a_switch(self, as_ada: Client, dataset: Dataset) -> None:
        run = make_run(dataset)
        for expected in (True, False):
            as_ada.post(f"/experiments/{run.pk}/archive")
            run.refresh_from_db()
            assert run.is_archived is expected

    def test_a_deleted_run_leaves_no_row_and_no_file(
        self,
        as_ada: Client,
        dataset: Dataset,
        settings: Settings,
        tmp_path: Path,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        settings.DATA_DIR = tmp_path
        keeper = make_evaluation(make_run(dataset, "flow"))
        run = make_run(dataset)
        evaluation = make_evaluation(run)
        fusion = make_fusion([evaluation, keeper])
        prediction = make_prediction(dataset.owner, run)
        folders = [run.folder, evaluation.folder, fusion.evaluation.folder, prediction.folder, job_folder(run.job_id)]
        for folder in folders:
            folder.mkdir(parents=True)
            (folder / "file").write_bytes(b"1234567890")
        upload: Path = prediction.upload.path
        with django_capture_on_commit_callbacks(execute=True):
            page = as_ada.post(f"/experiments/delete?runs={run.pk}", follow=True).content.decode()
        assert "68\xa0bytes freed" in page  # five files, and the upload of 18 bytes
        assert not any(path.exists() for path in (*folders, upload))
        assert list(Run.objects.all()) == [keeper.run] and list(Evaluation.objects.all()) == [keeper]
        assert not Fusion.objects.exists() and not Prediction.objects.exists() and not Upload.objects.exists()
        assert set(Job.objects.all()) == {keeper.job, keeper.run.job}  # type: ignore[union-attr]

    @pytest.mark.parametrize("state", [state for state in Job.OPEN if state != Job.State.WAITING])
    def test_a_run_with_an_open_job_is_not_deleted(self, dataset: Dataset, state: str) -> None:
        busy, tested = make_run(dataset, state=state), make_run(dataset)
        make_evaluation(tested, state=state)
        for run in (busy, tested):
            with pytest.raises(RunBusy, match="is not over yet"):
                delete(belongings([run]))
        assert Run.objects.count() == 2

    def test_an_upload_that_served_another_prediction_stays(self, dataset: Dataset) -> None:
        run, other = make_run(dataset), make_run(dataset, "flow")
        prediction = make_prediction(dataset.owner, run)
        again = make_prediction(dataset.owner, other)
        Prediction.objects.filter(pk=again.pk).update(upload=prediction.upload)
        delete(belongings([run]))
        assert Upload.objects.filter(pk=prediction.upload_id).exists()


class TestWhoMay:
    @pytest.mark.parametrize("path", READABLE)
    def test_an_outsider_finds_nothing(self, client: Client, dataset: Dataset, path: str) -> None:
        client.force_login(make_user("eve"))
        assert client.get(f"/experiments/{make_run(dataset).pk}/{path}").status_code == 404

    @pytest.mark.parametrize("path", READABLE)
    def test_a_viewer_may_look(self, client: Client, dataset: Dataset, path: str) -> None:
        viewer = make_user("vic")
        share(dataset, viewer)
        client.force_login(viewer)
        assert client.get(f"/experiments/{make_run(dataset).pk}/{path}").status_code == 200

    @pytest.mark.parametrize("action", ACTIONS)
    @pytest.mark.parametrize("is_member", [True, False])
    def test_only_who_may_change_the_dataset_may_act(self, client: Client, dataset: Dataset, action: str, is_member: bool) -> None:
        someone = make_user("vic")
        if is_member:
            share(dataset, someone)
        client.force_login(someone)
        run = make_run(dataset)
        assert client.post(f"/experiments/{run.pk}/{action}", {"notes": "mine"}).status_code == 404
        assert Run.objects.filter(pk=run.pk, is_archived=False, notes="").exists() and not Evaluation.objects.exists()

    def test_a_viewer_sees_no_button_that_would_not_work(self, client: Client, dataset: Dataset) -> None:
        viewer = make_user("vic")
        share(dataset, viewer)
        client.force_login(viewer)
        for state in ("running", "failed", "done"):
            page = page_of(client, make_run(dataset, state=state))
            assert not any(f">{button}</button>" in page for button in ("Stop", "Cancel", "Retry", "Delete", "Archive", "Evaluate"))

    def test_an_editor_may_act(self, client: Client, dataset: Dataset) -> None:
        editor = make_user("ed")
        share(dataset, editor, "editor")
        client.force_login(editor)
        run = make_run(dataset)
        assert client.post(f"/experiments/{run.pk}/archive").status_code == 302
        assert Run.objects.get(pk=run.pk).is_archived

    @pytest.mark.parametrize("action", ACTIONS)
    def test_actions_are_not_done_by_a_mere_visit(self, as_ada: Client, dataset: Dataset, action: str) -> None:
        assert as_ada.get(f"/experiments/{make_run(dataset).pk}/{action}").status_code == 405

    def test_the_page_takes_a_fixed_number_of_queries(self, as_ada: Client, dataset: Dataset, django_assert_max_num_queries: Any) -> None:
        run = make_run(dataset)
        for _number in range(20):
            make_evaluation(run)
        with django_assert_max_num_queries(12):
            page_of(as_ada, run)
