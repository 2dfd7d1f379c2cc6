"""Predicting: uploads in, answers out, judged and sent to the dataset; everything its owner's alone."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from ml.config.evaluation import FusionConfig
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_prediction, make_run, make_upload, make_user, share
from webapp.datasets.models import Dataset, Import, Membership, Upload, Video
from webapp.experiments.heads import Head
from webapp.experiments.models import Run
from webapp.jobs.models import Job
from webapp.predictions.deletion import PredictionBusy, delete_predictions
from webapp.predictions.models import Prediction
from webapp.predictions.services import MOST_OPEN, RefusedPrediction, confirm, note_arrival, predict, send_to_dataset

pytestmark = pytest.mark.django_db
READ = ("prediction_detail", "prediction_proxy", "prediction_poster")
WRITE = ("prediction_confirm", "prediction_send")


@pytest.fixture
def run(dataset: Dataset) -> Run:
    return make_run(dataset)


@pytest.fixture
def prediction(ada: User, run: Run) -> Prediction:
    """Its best guess is `clap`."""
    prediction = make_prediction(ada, run)
    prediction.folder.mkdir(parents=True, exist_ok=True)
    (prediction.folder / "proxy.mp4").write_bytes(b"0123456789")
    (prediction.folder / "poster.jpg").write_bytes(b"jpeg")
    return prediction


def at(name: str, prediction: Prediction) -> str:
    return reverse(f"predictions:{name}", args=(prediction.pk,))


def ask(client: Client, **data: Any) -> Any:
    return client.post(reverse("predictions:prediction_create"), data)


def test_an_upload_becomes_a_prediction_and_a_job_on_its_own_queue(
    as_ada: Client, ada: User, run: Run, sent: list[Job], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    upload = make_upload(ada, "挥手.avi")
    with django_capture_on_commit_callbacks(execute=True):
        answer = ask(as_ada, model=f"run-{run.pk}", uploads=[upload.pk])
    prediction = Prediction.objects.get()
    assert answer.headers["Location"] == at("prediction_detail", prediction)
    assert (prediction.upload, prediction.run, prediction.job.subject_id) == (upload, run, prediction.pk)
    assert prediction.job.dataset is None  # the title names the user's file
    assert [job.queue for job in sent] == ["predict"]


def test_a_plain_form_takes_several_files_for_a_fusion(as_ada: Client, run: Run, dataset: Dataset) -> None:
    fusion = make_fusion([make_evaluation(run), make_evaluation(make_run(dataset, "flow"))])
    files = [SimpleUploadedFile(f"{n}.mp4", b"frames" * 9) for n in range(3)]
    answer = ask(as_ada, model=f"fusion-{fusion.pk}", videos=files)
    assert answer.headers["Location"] == reverse("predictions:prediction_list")
    assert [p.upload.name for p in Prediction.objects.filter(fusion=fusion).order_by("pk")] == ["0.mp4", "1.mp4", "2.mp4"]
    assert Upload.objects.get(name="1.mp4").path.read_bytes() == b"frames" * 9


@pytest.mark.parametrize("problem", ["nothing", "no model", "foreign model", "foreign upload", "empty file", "partial", "unfinished"])
def test_what_cannot_be_predicted_is_refused_with_a_message_and_leaves_nothing(problem: str, as_ada: Client, ada: User, run: Run) -> None:
    eve = make_user("eve")
    foreign = make_run(make_dataset(eve, name="secret"))
    partial = make_upload(ada)
    Upload.objects.filter(pk=partial.pk).update(size=10**6)
    wishes: dict[str, dict[str, Any]] = {
        "nothing": {"model": f"run-{run.pk}"},
        "no model": {"uploads": [make_upload(ada).pk]},
        "foreign model": {"model": f"run-{foreign.pk}", "uploads": [make_upload(ada).pk]},
        "foreign upload": {"model": f"run-{run.pk}", "uploads": [make_upload(eve).pk]},
        "empty file": {"model": f"run-{run.pk}", "videos": [SimpleUploadedFile("a.mp4", b"")]},
        "partial": {"model": f"run-{run.pk}", "uploads": [partial.pk]},
        "unfinished": {"model": f"run-{make_run(run.dataset, state=Job.State.RUNNING).pk}", "uploads": [make_upload(ada).pk]},
    }
    answer = as_ada.post(reverse("predictions:prediction_create"), wishes[problem], follow=True)
    assert b'class="message error"' in answer.content
    assert not Prediction.objects.exists()


def test_too_many_open_predictions_are_refused_in_words(ada: User, run: Run) -> None:
    uploads = [make_upload(ada) for _ in range(2)]
    for _ in range(MOST_OPEN - 1):
        make_prediction(ada, run, Job.State.QUEUED)
    with pytest.raises(RefusedPrediction, match=f"{MOST_OPEN - 1} predictions"):
        predict(ada, uploads, Head(run))
    assert len(predict(ada, uploads[:1], Head(run))) == 1


@pytest.mark.parametrize("name", [*READ, *WRITE])
def test_a_prediction_is_its_owners_alone(name: str, prediction: Prediction, dataset: Dataset) -> None:
    editor, admin = make_user("linus"), make_user("root", is_superuser=True)
    share(dataset, editor, Membership.Role.EDITOR)
    client = Client()
    method = client.post if name in WRITE else client.get
    assert method(at(name, prediction)).status_code == 302
    assert b"login" in method(at(name, prediction)).headers["Location"].encode()
    client.force_login(editor)
    assert method(at(name, prediction)).status_code == 404
    client.force_login(admin)
    answer = method(at(name, prediction))
    b"".join(answer)  # a file is closed when it has been read
    assert answer.status_code in {200, 302}


def test_lists_and_downloads_hold_only_ones_own(prediction: Prediction) -> None:
    client = Client()
    client.force_login(make_user("eve"))
    for name in ("prediction_list", "prediction_csv", "prediction_json"):
        assert prediction.upload.name.encode() not in client.get(reverse(f"predictions:{name}")).content


def test_the_page_shows_ranking_protocol_time_and_the_facts_of_the_video(as_ada: Client, prediction: Prediction) -> None:
    text = as_ada.get(at("prediction_detail", prediction)).content.decode()
    assert text.index("75.0\u00a0%") < text.index("20.0\u00a0%") < text.index(">5.0\u00a0%")
    assert "5 frames × 1 crop" in text
    assert "0.4 s" in text
    assert "96 × 72" in text
    assert "hx-trigger" not in text


def test_a_fusion_shows_what_each_stream_says(as_ada: Client, ada: User, run: Run, dataset: Dataset) -> None:
    fusion = make_fusion([make_evaluation(run), make_evaluation(make_run(dataset, "flow"))])
    streams = [{"name": f"{m} run", "modality": m, "top": [["clap", 0.5], ["jump", 0.4]]} for m in ("rgb", "flow")]
    result = {"top": [["clap", 0.9], ["jump", 0.1]], "streams": streams, "protocol": "x", "video": {}, "seconds": {"total": 2.0}}
    text = as_ada.get(at("prediction_detail", make_prediction(ada, fusion, result=result))).content.decode()
    assert text.index("What each stream says") < text.index("rgb run") < text.index("flow run")
    assert text.count('class="ranking"') == 3


def test_an_open_prediction_asks_again_and_a_failed_one_says_why(as_ada: Client, ada: User, run: Run) -> None:
    prediction = make_prediction(ada, run, Job.State.RUNNING)
    assert b'hx-trigger="every 1s"' in as_ada.get(at("prediction_detail", prediction)).content
    failure = {"code": "BadVideo", "message": "clip.mp4 has no video track", "advice": "Choose another file.", "detail": ""}
    Job.objects.filter(pk=prediction.job_id).update(state=Job.State.FAILED, failure=failure)
    text = as_ada.get(at("prediction_detail", prediction)).content.decode()
    assert "clip.mp4 has no video track" in text and "Choose another file." in text
    assert "hx-trigger" not in text


def test_the_video_is_served_in_ranges_with_a_type_of_ours(as_ada: Client, prediction: Prediction) -> None:
    answer = as_ada.get(at("prediction_proxy", prediction), headers={"Range": "bytes=2-4"})
    assert (answer.status_code, b"".join(answer), answer["Content-Type"]) == (206, b"234", "video/mp4")
    assert answer["X-Content-Type-Options"] == "nosniff"
    (prediction.folder / "proxy.mp4").unlink()
    assert as_ada.get(at("prediction_proxy", prediction)).status_code == 404


def test_the_best_guess_is_chosen_and_can_be_corrected(as_ada: Client, prediction: Prediction, dataset: Dataset) -> None:
    page = as_ada.get(at("prediction_detail", prediction))
    assert page.context["form"].initial["label"].name == "clap"
    as_ada.post(at("prediction_confirm", prediction), {"label": dataset.labels.get(name="wave").pk})
    prediction.refresh_from_db()
    assert prediction.confirmed_label == dataset.labels.get(name="wave")
    corrected = as_ada.get(at("prediction_detail", prediction))
    assert corrected.context["form"].initial["label"].name == "wave"
    assert "corrected to wave" in corrected.content.decode() and "confirmed: " not in corrected.content.decode()
    assert '<span class="chip">corrected</span>' in as_ada.get(reverse("predictions:prediction_list")).content.decode()


def test_the_best_guess_that_is_accepted_is_called_confirmed(as_ada: Client, prediction: Prediction, dataset: Dataset) -> None:
    as_ada.post(at("prediction_confirm", prediction), {"label": dataset.labels.get(name="clap").pk})
    page = as_ada.get(at("prediction_detail", prediction)).content.decode()
    assert '<span class="badge badge-right">confirmed: clap</span>' in page and "corrected" not in page


def test_a_label_of_another_dataset_is_not_taken(as_ada: Client, ada: User, prediction: Prediction) -> None:
    other = make_dataset(ada, name="other").labels.get(name="wave")
    as_ada.post(at("prediction_confirm", prediction), {"label": other.pk})
    prediction.refresh_from_db()
    assert prediction.confirmed_label is None
    with pytest.raises(RefusedPrediction, match="not a class"):
        confirm(prediction, other)


def test_a_confirmed_video_goes_into_the_dataset_once(
    as_ada: Client,
    prediction: Prediction,
    dataset: Dataset,
    sent: list[Job],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    confirm(prediction, dataset.labels.get(name="wave"))
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            as_ada.post(at("prediction_send", prediction))
    addition = Import.objects.get()
    assert (addition.dataset, list(addition.uploads.all())) == (dataset, [prediction.upload])
    assert addition.options == {"label": "wave", "group": ""}
    job = Job.objects.get(kind=Job.Kind.INGEST)
    assert (job.subject_id, job.state, job.dataset) == (addition.pk, Job.State.QUEUED, dataset)
    assert [job.queue for job in sent] == ["cpu"]
    assert b"Sent to gestures" in as_ada.get(at("prediction_detail", prediction)).content
    with pytest.raises(RefusedPrediction, match="on its way"):
        confirm(prediction, dataset.labels.get(name="clap"))


def test_the_group_of_a_sent_video_is_asked_for(as_ada: Client, prediction: Prediction, dataset: Dataset) -> None:
    confirm(prediction, dataset.labels.get(name="wave"))
    assert b'name="group"' in as_ada.get(at("prediction_detail", prediction)).content
    as_ada.post(at("prediction_send", prediction), {"group": "x" * 201})
    assert not Import.objects.filter(uploads=prediction.upload).exists()
    as_ada.post(at("prediction_send", prediction), {"group": " yard "})
    assert Import.objects.get(uploads=prediction.upload).options == {"label": "wave", "group": "yard"}


def test_a_video_whose_import_failed_can_be_sent_again(ada: User, prediction: Prediction, dataset: Dataset) -> None:
    confirm(prediction, dataset.labels.get(name="wave"))
    job = send_to_dataset(prediction, ada)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED)
    assert send_to_dataset(prediction, ada) != job


def test_nothing_is_sent_without_a_confirmed_label(ada: User, prediction: Prediction) -> None:
    with pytest.raises(RefusedPrediction, match="No label was confirmed"):
        send_to_dataset(prediction, ada)


def test_viewers_predict_and_judge_but_may_not_send(run: Run, dataset: Dataset) -> None:
    viewer, client = make_user("grace"), Client()
    share(dataset, viewer)
    client.force_login(viewer)
    prediction = make_prediction(viewer, run)
    client.post(at("prediction_confirm", prediction), {"label": dataset.labels.get(name="wave").pk})
    assert b"Only those who may change the dataset" in client.get(at("prediction_detail", prediction)).content
    assert client.post(at("prediction_send", prediction)).status_code == 404
    assert not Import.objects.exists()


def test_who_lost_the_dataset_keeps_the_answer_but_not_its_labels(run: Run, dataset: Dataset) -> None:
    viewer, client = make_user("grace"), Client()
    membership = share(dataset, viewer)
    prediction = make_prediction(viewer, run)
    membership.delete()
    client.force_login(viewer)
    page = client.get(at("prediction_detail", prediction))
    assert "75.0\u00a0%" in page.content.decode()
    assert page.context["form"] is None
    assert client.post(at("prediction_confirm", prediction), {"label": dataset.labels.get(name="wave").pk}).status_code == 404


def test_downloads_hold_the_answer_with_its_protocol(as_ada: Client, prediction: Prediction, ada: User, run: Run) -> None:
    open_one = make_prediction(ada, run, Job.State.QUEUED)
    Upload.objects.filter(pk=open_one.upload_id).update(name="=cmd.mp4")
    rows = list(csv.DictReader(io.StringIO(as_ada.get(reverse("predictions:prediction_csv")).content.decode("utf-8-sig"))))
    assert [(row["video"], row["label"], row["share"]) for row in rows] == [("'=cmd.mp4", "", ""), ("clip.mp4", "clap", "0.75")]
    assert [row["share_is"] for row in rows] == ["probability", "probability"]
    assert rows[1]["protocol"] == "5 frames × 1 crop"
    found = as_ada.get(reverse("predictions:prediction_json")).json()["predictions"]
    assert found[1]["result"]["top"][0] == ["clap", 0.75]


def test_without_a_trained_model_the_page_says_what_to_do() -> None:
    client = Client()
    client.force_login(make_user("new"))
    assert b"No model yet" in client.get(reverse("predictions:prediction_list")).content


def test_the_list_takes_the_same_queries_for_one_prediction_and_for_many(
    as_ada: Client, ada: User, run: Run, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(20):
        make_prediction(ada, run)
    with django_assert_max_num_queries(9):
        assert as_ada.get(reverse("predictions:prediction_list")).content.decode().count("badge-done") == 20


def test_the_page_says_where_a_sent_video_went(as_ada: Client, prediction: Prediction, dataset: Dataset, ada: User) -> None:
    confirm(prediction, dataset.labels.get(name="wave"))
    send_to_dataset(prediction, ada)
    video = dataset.videos.all()[0]
    Video.objects.filter(pk=video.pk).update(path=prediction.upload.name)
    note_arrival(Import.objects.get(), dataset.videos.all())
    prediction.refresh_from_db()
    assert prediction.sent_as == video
    for page in ("prediction_detail", "prediction_list"):
        address = at(page, prediction) if page == "prediction_detail" else reverse(f"predictions:{page}")
        assert reverse("datasets:video_detail", args=(video.pk,)) in as_ada.get(address).content.decode()


def test_an_import_that_has_nothing_to_do_with_it_notes_no_arrival(prediction: Prediction, dataset: Dataset, ada: User) -> None:
    Video.objects.filter(dataset=dataset).update(path=prediction.upload.name)
    note_arrival(Import.objects.create(user=ada, dataset=dataset), dataset.videos.all())
    prediction.refresh_from_db()
    assert prediction.sent_as is None


class TestDeletion:
    def test_a_deleted_prediction_leaves_no_row_and_no_file(
        self, as_ada: Client, prediction: Prediction, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        upload = prediction.upload.path
        with django_capture_on_commit_callbacks(execute=True):
            answer = as_ada.post(reverse("predictions:prediction_delete"), {"predictions": [prediction.pk]}, follow=True)
        assert "32\xa0bytes freed" in answer.content.decode()  # proxy 10, poster 4, upload 18
        assert not upload.exists() and not prediction.folder.exists()
        assert not Prediction.objects.exists() and not Upload.objects.exists()
        assert not Job.objects.filter(kind=Job.Kind.PREDICT).exists()

    def test_what_was_sent_to_a_dataset_stays_there_under_its_name(
        self, prediction: Prediction, dataset: Dataset, ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        confirm(prediction, dataset.labels.get(name="wave"))
        sending = send_to_dataset(prediction, ada)
        path, videos = prediction.upload.path, dataset.videos.count()
        Job.objects.filter(pk=sending.pk).update(state=Job.State.DONE)
        with django_capture_on_commit_callbacks(execute=True):
            delete_predictions([prediction])
        upload = Upload.objects.get()
        assert (upload.name, upload.is_complete, path.exists()) == ("clip.mp4", False, False)
        assert dataset.videos.count() == videos

    def test_a_file_on_its_way_into_a_dataset_stays_until_it_is_there(self, prediction: Prediction, dataset: Dataset, ada: User) -> None:
        confirm(prediction, dataset.labels.get(name="wave"))
        send_to_dataset(prediction, ada)
        upload = prediction.upload
        delete_predictions([prediction])
        upload.refresh_from_db()
        assert upload.is_complete and upload.path.exists()

    @pytest.mark.parametrize("state", Job.OPEN)
    def test_an_open_prediction_is_not_deleted_and_takes_no_other_along(
        self, ada: User, run: Run, prediction: Prediction, state: str
    ) -> None:
        with pytest.raises(PredictionBusy, match="not over yet"):
            delete_predictions([prediction, make_prediction(ada, run, state)])
        assert Prediction.objects.count() == 2

    def test_nobody_deletes_anothers_predictions(self, prediction: Prediction) -> None:
        client = Client()
        client.force_login(make_user("eve"))
        assert client.post(reverse("predictions:prediction_delete"), {"predictions": [prediction.pk]}).status_code == 404
        assert Prediction.objects.exists()


def test_a_superusers_list_is_not_everybodys(prediction: Prediction) -> None:
    client = Client()
    client.force_login(make_user("root", is_superuser=True))
    assert prediction.upload.name.encode() not in client.get(reverse("predictions:prediction_list")).content
    assert client.get(at("prediction_detail", prediction)).status_code == 200


def test_the_shares_of_an_svm_are_not_called_probabilities(as_ada: Client, ada: User, run: Run, dataset: Dataset) -> None:
    streams = [make_evaluation(run), make_evaluation(make_run(dataset, "flow"))]
    fusion = make_fusion(streams, config=FusionConfig(method="svm", normalize="none"), guess=lambda label, _position: label + 1)
    prediction = make_prediction(ada, fusion)
    evaluation = reverse("experiments:evaluation_detail", args=(fusion.evaluation.pk,))
    for address in (at("prediction_detail", prediction), reverse("predictions:prediction_list"), evaluation):
        text = as_ada.get(address).content.decode()
        assert "SVM’s margins" in text
        assert "probabilit" not in text.replace("no probability", "").replace("class probabilities averaged", "")
    row = as_ada.get(reverse("predictions:prediction_json")).json()["predictions"][0]
    assert row["share_is"] == "softmax of SVM margins"


def test_deleting_nothing_says_to_tick_something(as_ada: Client, prediction: Prediction) -> None:
    page = as_ada.post(reverse("predictions:prediction_delete"), follow=True).content.decode()
    assert "Nothing is ticked" in page and Prediction.objects.filter(pk=prediction.pk).exists()


def test_a_failure_that_was_read_is_no_reminder_on_the_home_page(as_ada: Client, ada: User, run: Run) -> None:
    failed = make_prediction(ada, run, Job.State.FAILED)
    as_ada.get(reverse("predictions:prediction_detail", args=(failed.pk,)))
    assert Job.objects.get(pk=failed.job_id).acknowledged


def test_the_model_chosen_beforehand_is_the_one_asked_last_else_the_best_on_the_newest_tests(
    as_ada: Client, ada: User, dataset: Dataset
) -> None:
    address = reverse("predictions:prediction_list")

    def chosen() -> tuple[str, str]:
        context = as_ada.get(address).context
        return context["form"].initial["model"], context["proposed"].reason if context["proposed"] else ""

    weak, strong = make_run(dataset), make_run(dataset, "flow")
    assert chosen() == (f"run-{strong.pk}", "Chosen: the newest; none is tested yet.")
    make_evaluation(strong)
    make_evaluation(weak, lambda label, _position: label + 1)
    elsewhere = make_dataset(ada, name="elsewhere")
    make_evaluation(make_run(elsewhere, state=Job.State.FAILED))  # cannot predict
    assert chosen() == (f"run-{strong.pk}", "Chosen: the best on the test videos of gestures, top-1 100\u00a0%.")
    make_prediction(ada, weak)
    make_prediction(make_user("eve"), strong)
    assert chosen() == (f"run-{weak.pk}", "Chosen: the one that you asked last.")
    asked = as_ada.get(address, {"model": f"run-{strong.pk}"})
    assert asked.context["form"].initial["model"] == f"run-{strong.pk}" and "Chosen:" not in asked.content.decode()
