"""What an SVM is fitted on: scores of the streams' own runs, or of runs without a fold each, which are launched and told before."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ml.config.evaluation import FusionConfig
from ml.config.study import StudyConfig
from ml.errors import BadScores
from ml.evaluation.fusion import describe
from ml.words import Words, joined, packed
from tests.webapp.factories import make_evaluation, make_fusion, make_run
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Fusion, FusionFit, Run
from webapp.experiments.selectors.studies import jobs_of
from webapp.experiments.services.fits import NothingHeldOut
from webapp.experiments.services.fusions import UnfitStreams, create_fusion
from webapp.experiments.services.studies import foreseen, launch_study
from webapp.jobs.models import Job
from worker.tasks.fuse import FuseTask

pytestmark = pytest.mark.django_db
NEW = reverse("experiments:fusion_new")


def svm(fit: Any, folds: int = 3) -> FusionConfig:
    return FusionConfig(method="svm", normalize="l2", fit=fit, folds=folds)


@pytest.fixture
def streams(dataset: Dataset) -> list[Evaluation]:
    return [make_evaluation(make_run(dataset, modality)) for modality in ("rgb", "flow")]


def fitted_on(fusion: Fusion) -> list[tuple[int, int, str]]:
    """(fold, stream, subset)"""
    return [(fit.fold, fit.stream, fit.evaluation.subset) for fit in fusion.fits.select_related("evaluation")]


@pytest.mark.parametrize(("fit", "subset"), [("training_scores", "train"), ("validation_scores", "validation")])
def test_an_svm_on_scores_of_the_runs_waits_for_them_under_the_protocol_of_the_test(
    ada: User, streams: list[Evaluation], fit: str, subset: str
) -> None:
    fusion = create_fusion(ada, streams, svm(fit), "both")
    assert fitted_on(fusion) == [(1, 0, subset), (1, 1, subset)]
    fits = [one.evaluation for one in fusion.fits.all()]
    assert [one.run for one in fits] == [one.run for one in streams] and {str(one.protocol) for one in fits} == {str(streams[0].protocol)}
    assert set(fusion.evaluation.job.after.all()) == {one.job for one in fits}


def test_an_svm_on_held_out_folds_launches_each_stream_without_each_fold_and_scores_the_fold_alone(
    ada: User, streams: list[Evaluation]
) -> None:
    fusion = create_fusion(ada, streams, svm("held_out_folds"), "both")
    assert fitted_on(fusion) == [(fold, stream, "validation") for fold in (1, 2, 3) for stream in (0, 1)]
    for fit in fusion.fits.all():
        run, own = fit.evaluation.run, streams[fit.stream].run
        assert run is not None and own is not None
        assert run.experiment.data.held_out_fold == (fit.fold, 3) and run.parent == own
        assert run.experiment.replace(data=own.experiment.data) == own.experiment
        assert list(run.evaluations.all()) == [fit.evaluation]  # its test is of no use to anybody
    assert fusion.evaluation.job.state == Job.State.WAITING


def test_runs_without_a_fold_serve_every_fusion_of_their_stream(ada: User, dataset: Dataset, streams: list[Evaluation]) -> None:
    create_fusion(ada, streams, svm("held_out_folds"), "both")
    runs = Run.objects.count()
    create_fusion(ada, streams, svm("held_out_folds").replace(svm_c=10.0), "again")
    assert Run.objects.count() == runs
    create_fusion(ada, streams, svm("held_out_folds", folds=2), "other folds")
    assert Run.objects.count() == runs + 4


def test_other_methods_fit_nothing(ada: User, streams: list[Evaluation]) -> None:
    create_fusion(ada, streams, FusionConfig(fit="held_out_folds"), "both")
    assert not FusionFit.objects.exists() and Run.objects.count() == 2


def test_validation_scores_of_runs_that_held_nothing_out_are_refused_with_what_to_do(ada: User, dataset: Dataset) -> None:
    streams = [make_evaluation(make_run(dataset, modality, validation_fraction=0)) for modality in ("rgb", "flow")]
    with pytest.raises(NothingHeldOut, match="held no videos out") as refusal:
        create_fusion(ada, streams, svm("validation_scores"), "both")
    assert "held-out folds" in refusal.value.advice and not Fusion.objects.exists()


@pytest.mark.parametrize("subset", ["train", "validation"])
def test_an_svm_does_not_score_training_videos(ada: User, dataset: Dataset, subset: str) -> None:
    streams = [make_evaluation(make_run(dataset, modality), subset=subset, state=Job.State.QUEUED) for modality in ("rgb", "flow")]
    with pytest.raises(UnfitStreams, match="fitted on scores of training videos"):
        create_fusion(ada, streams, svm("held_out_folds"), "both")


def test_more_folds_than_groups_are_refused_before_anything_is_launched(ada: User, dataset: Dataset, streams: list[Evaluation]) -> None:
    dataset.videos.filter(group="g0005").update(group="")
    with pytest.raises(NothingHeldOut, match="6 groups of training videos do not fill 7 folds"):
        create_fusion(ada, streams, svm("held_out_folds", folds=7), "both")
    assert Run.objects.count() == 2


def test_folds_of_a_run_whose_start_has_learnt_them_are_refused(ada: User, dataset: Dataset) -> None:
    start = make_run(dataset)
    streams = [make_evaluation(make_run(dataset, modality)) for modality in ("rgb", "flow")]
    run = streams[0].run
    assert run is not None
    run.config["training"]["init_run"] = str(start.pk)
    run.save()
    with pytest.raises(NothingHeldOut, match="has learnt every fold"):
        create_fusion(ada, streams, svm("held_out_folds"), "both")


def test_the_job_gives_the_files_of_every_fold_together_and_notices_one_that_is_gone(ada: User, streams: list[Evaluation]) -> None:
    fusion = create_fusion(ada, streams, svm("held_out_folds", folds=2), "both")
    words = FuseTask(fusion.evaluation.job).command()
    files = [str(fit.evaluation.folder / "scores.npz") for fit in fusion.fits.all()]
    first = words.index("--fit")
    assert words[first : first + 6] == ["--fit", *files[:2], "--fit", *files[2:]]
    fusion.fits.last().delete()  # type: ignore[union-attr]
    with pytest.raises(BadScores, match="deleted"):
        FuseTask(fusion.evaluation.job).command()


def form(streams: list[Evaluation], **changes: str) -> dict[str, Any]:
    how = {"method": "svm", "normalize": "l2", "weights": "", "svm_c": "1", "fit": "held_out_folds", "folds": "3"}
    return {"name": "both", "streams": [one.pk for one in streams], **how, **changes}


def test_the_cost_is_said_before_anything_starts(as_ada: Client, streams: list[Evaluation]) -> None:
    for stream in streams:
        assert stream.run is not None
        job = stream.run.job
        job.started_at, job.finished_at = timezone.now() - timedelta(minutes=20), timezone.now()
        job.save()
    text = as_ada.post(NEW, form(streams, action="check")).content.decode()
    assert "6 more runs would be trained, each stream 3 times" in text and "took 40 min; those would take about 80 min" in text
    assert "too sure" in as_ada.post(NEW, form(streams, action="check", fit="training_scores")).content.decode()
    assert "Nothing more has to be trained" in as_ada.post(NEW, form(streams, action="check", method="average")).content.decode()
    assert not Fusion.objects.exists() and Run.objects.count() == 2


def test_the_pages_say_what_the_svm_is_fitted_on(as_ada: Client, streams: list[Evaluation]) -> None:
    answer = as_ada.post(NEW, form(streams))
    text = as_ada.get(answer.headers["Location"]).content.decode()
    assert "SVM fitted on held-out folds: 3" in text and "rgb run, without fold 2 of 3" in text
    assert "held-out folds: 3" in as_ada.get(reverse("experiments:fusion_list")).content.decode()


def test_a_finished_fusion_shows_it_beside_its_number(as_ada: Client, streams: list[Evaluation]) -> None:
    fusion = make_fusion(streams, config=svm("training_scores"))
    fitted = Words("{kind}, {videos} videos", kind=Words("training scores"), videos=60)
    evaluation = fusion.evaluation
    evaluation.metrics["protocol"]["description"] = packed(joined(["5 frames × 1 crop", describe(svm("training_scores"), 2, fitted)]))
    evaluation.save()
    text = as_ada.get(reverse("experiments:fusion_detail", args=(fusion.pk,))).content.decode()
    assert f"2 streams fused by a linear SVM (C = 1) on L2-normalised class probabilities, fitted on: {fitted}" in text


def test_a_study_counts_the_runs_of_its_folds_and_stops_them_too(ada: User, dataset: Dataset, streams: list[Evaluation]) -> None:
    runs = [stream.run for stream in streams if stream.run is not None]
    grid = StudyConfig(streams=tuple(run.experiment for run in runs), fusions=(svm("held_out_folds"), svm("training_scores")))
    split = dataset.splits.get()
    messages = [finding.message for finding in foreseen(ada, split, grid)]
    assert any("8 runs would be trained" in message for message in messages)
    assert any("6 more runs" in message for message in messages) and any("too sure" in message for message in messages)
    study = launch_study(ada, split, grid, "svm", runs)
    assert jobs_of(study).filter(kind=Job.Kind.TRAIN).count() == 8
    assert study.runs.count() == 2
    page = Client()
    page.force_login(ada)
    text = page.get(reverse("experiments:study_detail", args=(study.pk,))).content.decode()
    assert "Linear SVM (held-out folds: 3)" in text and "Linear SVM (training scores)" in text
    json.dumps(study.config)
