"""The pages of datasets and videos: who may see them, what they say, and how many queries they take."""

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from ml.config.flow import FlowSpec
from tests.webapp.factories import make_dataset, make_evaluation, make_job, make_run, make_user, share
from webapp.datasets.models import Dataset, FlowCache, Import, SplitEntry, Video
from webapp.datasets.services.datasets import NotLabelled, relabel_video
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db


def addresses(dataset: Dataset) -> list[str]:
    """Every address that shows or changes this dataset."""
    video = dataset.videos.all()[0]
    cache, _new = FlowCache.objects.get_or_create(dataset=dataset, spec_id="0" * 12, defaults={"spec": FlowSpec().model_dump(mode="json")})
    of_dataset = ("dataset_detail", "dataset_edit", "dataset_delete", "member_add", "flow_new", "browse")
    of_video = ("video_detail", "video_relabel", "media_poster", "media_proxy", "media_original")
    return [
        *(reverse(f"datasets:{name}", args=(dataset.pk,)) for name in of_dataset),
        *(reverse(f"datasets:{name}", args=(video.pk,)) for name in of_video),
        reverse("datasets:media_flow", args=(video.pk, cache.pk)),
        reverse("datasets:flow_delete", args=(cache.pk,)),
    ]


def test_an_outsider_finds_nothing_at_any_address(client: Client, dataset: Dataset) -> None:
    client.force_login(make_user("eve"))
    *_others, delete_flow_address = found = addresses(dataset)
    for address in found:
        is_form = address.endswith(("/members", "/label")) or address == delete_flow_address
        assert (client.post if is_form else client.get)(address).status_code == 404, address


def test_the_anonymous_are_sent_to_the_login_from_every_address(client: Client, dataset: Dataset) -> None:
    for address in [reverse("datasets:dataset_list"), reverse("datasets:import_new"), *addresses(dataset)]:
        response = client.get(address)
        assert response.status_code == 302 and "/accounts/login/" in response["Location"], address


def test_a_viewer_may_look_and_not_change(client: Client, dataset: Dataset) -> None:
    viewer = make_user("vera")
    share(dataset, viewer)
    client.force_login(viewer)
    video = dataset.videos.all()[0]
    assert client.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).status_code == 200
    assert client.get(reverse("datasets:video_detail", args=(video.pk,))).status_code == 200
    for name, key in (("dataset_edit", dataset.pk), ("dataset_delete", dataset.pk), ("flow_new", dataset.pk), ("video_relabel", video.pk)):
        assert client.post(reverse(f"datasets:{name}", args=(key,)), {"label": 1}).status_code == 404, name


def test_an_editor_may_relabel_and_not_delete(client: Client, dataset: Dataset) -> None:
    editor = make_user("ed")
    share(dataset, editor, "editor")
    client.force_login(editor)
    video, label = dataset.videos.all()[0], dataset.labels.get(index=2)
    response = client.post(reverse("datasets:video_relabel", args=(video.pk,)) + "?subset=train", {"label": label.pk})
    assert response["Location"].endswith("?subset=train")
    video.refresh_from_db()
    assert video.label == label
    assert client.post(reverse("datasets:dataset_delete", args=(dataset.pk,))).status_code == 404


def test_the_empty_list_says_what_to_do(as_ada: Client) -> None:
    page = as_ada.get(reverse("datasets:dataset_list")).content.decode()
    assert "No datasets yet" in page and reverse("datasets:import_new") in page


def test_the_list_shows_counts_splits_members_and_imports_under_way(as_ada: Client, ada: User, dataset: Dataset) -> None:
    share(dataset, make_user("bob"))
    Video.objects.create(dataset=dataset, key="bad", path="bad.mp4", status="refused", reason="It is empty.")
    import_ = Import.objects.create(user=ada)
    job = make_job(Job.Kind.INSPECT, ada, state=Job.State.RUNNING)
    Job.objects.filter(pk=job.pk).update(subject_id=import_.pk)
    page = as_ada.get(reverse("datasets:dataset_list")).content.decode()
    for text in ("12 videos", "3 classes", "1 refused", "split 1", "bob", "every 2s"):
        assert text in page, text


@pytest.mark.parametrize("page", ["dataset_list", "dataset_detail", "browse", "dataset_delete"])
def test_a_refused_file_is_counted_apart_wherever_videos_are_counted(as_ada: Client, dataset: Dataset, page: str) -> None:
    Video.objects.create(dataset=dataset, key="bad", path="bad.mp4", status="refused", reason="It is empty.")
    text = as_ada.get(reverse(f"datasets:{page}", args=() if page == "dataset_list" else (dataset.pk,))).content.decode()
    assert "12 videos, 1 refused" in text.replace("<b>12</b><span>videos", "12 videos") and "13 videos" not in text


def test_the_list_takes_the_same_queries_for_one_dataset_and_for_many(
    as_ada: Client, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(6):
        make_dataset(ada, name=f"set {number}")
    with django_assert_max_num_queries(10):
        as_ada.get(reverse("datasets:dataset_list"))


def test_a_class_named_like_html_or_in_chinese_is_shown_escaped(as_ada: Client, ada: User) -> None:
    dataset = make_dataset(ada, classes=("<b>bold</b>", "打拳"))
    for address in (reverse("datasets:dataset_detail", args=(dataset.pk,)), reverse("datasets:browse", args=(dataset.pk,))):
        page = as_ada.get(address).content.decode()
        assert "<b>bold</b>" not in page
        assert "&lt;b&gt;bold" in page and "打拳" in page


def test_a_dataset_without_videos_says_so(as_ada: Client, ada: User) -> None:
    dataset = Dataset.objects.create(name="bare", owner=ada, frame_spec={})
    page = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).content.decode()
    assert "No videos yet" in page and "data-chart" not in page
    assert "No videos yet" in as_ada.get(reverse("datasets:browse", args=(dataset.pk,))).content.decode()


def test_the_counts_of_the_page_are_those_of_the_rows(as_ada: Client, dataset: Dataset) -> None:
    SplitEntry.objects.filter(video=dataset.videos.all()[0]).delete()
    rows = as_ada.get(reverse("datasets:dataset_detail", args=(dataset.pk,))).context["classes"]
    assert [row.in_order for row in rows] == [[1, 0, 2, 1], [2, 0, 2, 0], [2, 0, 2, 0]]


def test_a_new_name_is_kept_and_an_empty_one_is_refused(as_ada: Client, dataset: Dataset) -> None:
    address = reverse("datasets:dataset_edit", args=(dataset.pk,))
    assert as_ada.post(address, {"name": ""}).status_code == 400
    as_ada.post(address, {"name": "signs", "description": "of hands"})
    dataset.refresh_from_db()
    assert (dataset.name, dataset.description) == ("signs", "of hands")


FILTERS = (
    ("label=1", 4), ("subset=train", 6), ("split=1&subset=test&label=0", 2), ("q=wave", 4), ("status=refused", 1), ("subset=none", 1),
    ("label=999", 13), ("subset=nonsense", 13), ("status=ok'--", 13), ("page=99", 13), ("owner__password=x", 13),
)  # fmt: skip


@pytest.mark.parametrize(("query", "count"), FILTERS)
def test_filters_on_the_list_choose_and_others_do_nothing(as_ada: Client, dataset: Dataset, query: str, count: int) -> None:
    Video.objects.create(dataset=dataset, key="bad", path="bad.mp4", status="refused")
    page = as_ada.get(reverse("datasets:browse", args=(dataset.pk,)) + f"?{query}").context["page"]
    assert page.paginator.count == count


def test_no_match_says_so_and_offers_to_clear(as_ada: Client, dataset: Dataset) -> None:
    page = as_ada.get(reverse("datasets:browse", args=(dataset.pk,)) + "?q=nowhere").content.decode()
    assert "No video matches" in page and "Clear" in page


def test_the_list_of_the_chosen_videos_is_a_csv_in_the_form_of_an_import(as_ada: Client, dataset: Dataset) -> None:
    text = as_ada.get(reverse("datasets:browse_csv", args=(dataset.pk,)) + "?subset=test").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    tested = Video.objects.filter(split_entries__subset="test", dataset=dataset).select_related("label")
    assert rows == [{"path": v.path, "label": str(v.label), "subset": "test", "group": v.group} for v in tested] and rows


def test_a_page_of_the_grid_takes_a_fixed_number_of_queries(
    as_ada: Client, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    dataset = make_dataset(ada, classes=[f"class {i}" for i in range(101)], videos_per_class=10)
    address = reverse("datasets:browse", args=(dataset.pk,)) + "?page=3&subset=train"
    as_ada.get(address)
    with django_assert_num_queries(11):  # session, user, dataset, split, two counts, page, entries; the selects' labels and, twice, splits
        page = as_ada.get(address).context["page"]
    assert len(page.object_list) == 48


def test_neighbours_stay_within_the_filter(as_ada: Client, dataset: Dataset) -> None:
    tested = list(Video.objects.filter(dataset=dataset, split_entries__subset="test").order_by("pk"))
    context = as_ada.get(reverse("datasets:video_detail", args=(tested[1].pk,)) + "?subset=test").context
    assert (context["trail"].before, context["trail"].after) == (tested[0], tested[2])


def test_the_video_page_shows_facts_and_what_every_evaluation_says(as_ada: Client, dataset: Dataset) -> None:
    make_evaluation(make_run(dataset, name="spatial stream"), guess=lambda label, position: label + position % 2)
    video = Video.objects.filter(dataset=dataset, split_entries__subset="test").order_by("pk")[1]
    page = as_ada.get(reverse("datasets:video_detail", args=(video.pk,))).content.decode()
    for text in ("spatial stream", "5 frames × 1 crop", "80.0\u00a0%", "wrong", "96 × 72", "split 1", video.group):
        assert text in page, text


def test_a_refused_file_shows_why_and_what_to_do(as_ada: Client, dataset: Dataset) -> None:
    video = Video.objects.create(
        dataset=dataset, key="bad", path="bad.mp4", status="refused", reason="It is empty.", advice="Copy it again."
    )
    page = as_ada.get(reverse("datasets:video_detail", args=(video.pk,))).content.decode()
    assert "It is empty." in page and "Copy it again." in page and "<video" not in page
    assert as_ada.get(reverse("datasets:media_poster", args=(video.pk,))).status_code == 404


def test_a_label_of_another_dataset_is_refused(as_ada: Client, ada: User, dataset: Dataset) -> None:
    video, foreign = dataset.videos.all()[0], make_dataset(ada, name="other").labels.all()[0]
    as_ada.post(reverse("datasets:video_relabel", args=(video.pk,)), {"label": foreign.pk})
    video.refresh_from_db()
    assert video.label is not None and video.label.dataset_id == dataset.pk
    with pytest.raises(NotLabelled):
        relabel_video(video, foreign)


def test_a_tested_video_that_gets_another_class_is_told_wherever_its_score_counts(as_ada: Client, dataset: Dataset) -> None:
    run = make_run(dataset)
    evaluation = make_evaluation(run)
    video = Video.objects.filter(dataset=dataset, split_entries__subset="test").order_by("pk")[0]
    results = reverse("experiments:evaluation_detail", args=(evaluation.pk,))
    overview = reverse("experiments:run_detail", args=(run.pk,))
    assert all("another class since" not in as_ada.get(address).content.decode() for address in (results, overview))
    label = dataset.labels.get(index=2)
    page = as_ada.post(reverse("datasets:video_relabel", args=(video.pk,)), {"label": label.pk}, follow=True).content.decode()
    assert "The class is “wave” now." in page and "scored as clap" in page
    assert all("1 tested video was given another class since" in as_ada.get(address).content.decode() for address in (results, overview))
