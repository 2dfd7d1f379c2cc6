"""Studies are one line each, and what stands alone is not lost between what they launched."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from ml.config.evaluation import FusionConfig
from ml.config.presets import PRESETS
from ml.config.study import Axis, StudyConfig
from tests.webapp.factories import make_evaluation, make_fusion, make_run
from webapp.datasets.models import Dataset
from webapp.experiments.models import Evaluation, Fusion, Run, Study
from webapp.experiments.selectors.folding import folded, of_study, parted, stand_alone
from webapp.experiments.services.fusions import create_fusion
from webapp.experiments.services.studies import launch_study
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
SPATIAL, TEMPORAL = PRESETS["cpu_spatial"].config, PRESETS["cpu_temporal"].config
EPOCHS = Axis(field="training.epochs", values=(1, 2))


@pytest.fixture
def alone(dataset: Dataset) -> Fusion:
    """A pair that somebody trained before the study."""
    return make_fusion([make_evaluation(make_run(dataset, kind)) for kind in ("rgb", "flow")])


@pytest.fixture
def study(ada: User, dataset: Dataset, alone: Fusion) -> Study:
    """Four runs and two fusions; all of them are done and wrong, but for the videos of the first class."""
    grid = StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(FusionConfig(),), axes=(EPOCHS,))
    study = launch_study(ada, dataset.splits.get(), grid, "Epoch study")
    metrics = make_evaluation(make_run(dataset, name="poor run"), lambda _label, _position: 0).metrics
    Job.objects.update(state=Job.State.DONE)
    Evaluation.objects.filter(metrics={}).update(metrics=metrics)
    return study


def names(page: str) -> list[str]:
    """The links of the table's second column, from top to bottom."""
    return re.findall(r'class="breakable"><a [^>]*>([^<]*)<', page)


def test_what_a_study_launched_is_told_from_what_stands_alone(alone: Fusion, study: Study) -> None:
    assert set(stand_alone(Fusion.objects.all())) == {alone}
    assert {run.name for run in stand_alone(Run.objects.all())} == {"rgb run", "flow run", "poor run"}
    assert set(of_study(Run.objects.all(), str(study.pk))) == set(study.runs.all())
    assert set(of_study(Run.objects.all(), "all")) == set(Run.objects.all())
    assert [len(part) for part in parted(Fusion.objects.all())] == [1, 2]


def test_a_run_that_a_study_took_over_still_stands_alone(ada: User, dataset: Dataset) -> None:
    run = make_run(dataset)
    grid = StudyConfig(streams=(run.experiment,), axes=(Axis(field="training.seed", values=(0, 1)),))
    study = launch_study(ada, dataset.splits.get(), grid, "two seeds", adopted=[run])
    assert study.runs.count() == 2 and list(stand_alone(Run.objects.all())) == [run]


def test_a_fusion_made_by_hand_of_a_studys_runs_stands_alone(ada: User, study: Study) -> None:
    spatial, temporal = (study.runs.filter(config__data__input__modality=kind).latest("pk") for kind in ("rgb", "flow"))
    mine = create_fusion(ada, [spatial.evaluations.get(), temporal.evaluations.get()], FusionConfig(), "the best of both")
    assert mine in stand_alone(Fusion.objects.all()) and study.fusions.count() == 2


def test_a_run_without_a_fold_that_a_studys_svm_needs_is_folded_too(ada: User, dataset: Dataset) -> None:
    svm = FusionConfig(method="svm", fit="held_out_folds", folds=2)
    grid = StudyConfig(streams=(SPATIAL, TEMPORAL), fusions=(svm,))
    study = launch_study(ada, dataset.splits.get(), grid, "with an SVM")
    assert study.runs.count() == 2 and Run.objects.count() == 6
    assert not stand_alone(Run.objects.all()) and len(of_study(Run.objects.all(), str(study.pk))) == 6


def test_the_run_list_has_a_line_a_study_and_a_way_to_its_runs(as_ada: Client, study: Study) -> None:
    page = as_ada.get("/experiments/").content.decode()
    assert names(page) == ["Epoch study", "poor run", "flow run", "rgb run"] and "4 runs" in page
    members = as_ada.get(f"/experiments/?study={study.pk}").content.decode()
    assert f"?study={study.pk}" in page and len(names(members)) == 4 and all(name.startswith("Epoch study · ") for name in names(members))
    assert len(names(as_ada.get("/experiments/?study=all").content.decode())) == 7
    assert "No run fits" in as_ada.get("/experiments/?search=nothing").content.decode()


def test_a_filter_counts_the_runs_of_a_study_that_fit(as_ada: Client, study: Study) -> None:
    Job.objects.filter(pk=study.runs.earliest("pk").job_id).update(state=Job.State.FAILED)
    page = as_ada.get("/experiments/?modality=rgb&search=epoch").content.decode()
    assert names(page) == ["Epoch study"] and "2 runs · 1 done" in page
    assert names(as_ada.get("/experiments/?search=poor").content.decode()) == ["poor run"]


def test_the_list_of_fusions_folds_them_too(as_ada: Client, alone: Fusion, study: Study) -> None:
    page = as_ada.get("/experiments/fusions/").content.decode()
    assert "2 fusions" in page and names(page)[:2] == ["Epoch study", alone.name] and "Epoch study · Fusion" not in page
    assert as_ada.get(f"/experiments/fusions/?study={study.pk}").content.decode().count("Epoch study · Fusion") >= 2
    member = as_ada.get(f"/experiments/fusions/{study.fusions.earliest('pk').pk}/").content.decode()
    assert f'Part of the study <a href="/experiments/studies/{study.pk}/">' in member
    Fusion.objects.all().delete()
    assert "No fusion fits" in as_ada.get(f"/experiments/fusions/?study={study.pk}").content.decode()


def test_home_leads_with_the_newest_fusion_that_stands_alone(as_ada: Client, alone: Fusion, study: Study) -> None:
    page = as_ada.get("/").content.decode()
    assert f'Newest fusion: <a href="/experiments/fusions/{alone.pk}/">' in page
    table = page.partition("Latest results")[2]
    assert names(table) == [alone.name, "Epoch study", "poor run", "flow run", "rgb run"] and "4 runs" in table


def test_an_install_with_nothing_but_a_study_needs_no_first_steps(as_ada: Client, study: Study) -> None:
    Run.objects.exclude(studies=study).delete()
    page = as_ada.get("/").content.decode()
    assert "From videos to results" not in page and "Epoch study" in page


def test_those_who_predict_are_offered_alone_before_in_studies(as_ada: Client, study: Study) -> None:
    page = as_ada.get("/predict/").content.decode()
    assert re.findall(r'<optgroup label="([^"]*)"', page) == ["Fusions", "Runs", "In studies"]
    assert page.partition("In studies")[2].count("Epoch study · ") == 6 and "Epoch study · " not in page.partition("In studies")[0]


def test_others_do_not_see_the_line(client: Client, django_user_model: type[User], study: Study) -> None:
    eve = django_user_model.objects.create_user("eve")
    client.force_login(eve)
    assert not folded(eve, Run.objects.all())
    assert "Epoch study" not in client.get("/experiments/").content.decode() + client.get("/").content.decode()
