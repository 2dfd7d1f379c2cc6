"""The page of the embeddings: measures, map, near classes, neighbours; who sees it; what stands there when nothing was kept."""

from typing import Any

import plotly.graph_objects as go
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from ml.config.models import NFMML
from tests.webapp.embedding_files import keep_embeddings, keep_map
from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_run, make_user, share
from webapp.charts.embedding import MOST_GREY, embedding_map, grey_stride
from webapp.charts.palette import CYCLE, GRAY
from webapp.datasets.models import Dataset, Video
from webapp.experiments.embedding import Embedding, Place, coloured
from webapp.experiments.models import Evaluation
from webapp.experiments.selectors.embeddings import embedding_of, misplaced, neighbours
from webapp.experiments.services.deletion import belongings, delete
from webapp.jobs.models import Job

pytestmark = pytest.mark.django_db
PLACES = [Place(7, "a/7.mp4", 0, 0, 0.5, 1.0), Place(8, "a/8.mp4", 0, 1, 0.6, 1.0), Place(9, "b/9.mp4", 1, 1, 0.0, 0.0)]
ADDRESSES = {"poster": "/p/0", "proxy": "/v/0", "neighbours": "/n/0"}


@pytest.fixture
def dataset(ada: User) -> Dataset:
    return make_dataset(ada, videos_per_class=16)


@pytest.fixture
def evaluation(dataset: Dataset) -> Evaluation:
    """Eight test videos a class; the second `clap` is taken for `jump`."""
    evaluation = make_evaluation(make_run(dataset), lambda label, position: 1 if (label, position) == (0, 1) else label)
    keep_embeddings(evaluation)
    return evaluation


def page(client: Client, evaluation: Evaluation, **query: Any) -> Any:
    return client.get(reverse("experiments:embedding", args=(evaluation.pk,)), query)


def neighbours_page(client: Client, evaluation: Evaluation, video_id: int) -> Any:
    return client.get(reverse("experiments:embedding_video", args=(evaluation.pk, video_id)))


def kept(evaluation: Evaluation) -> Embedding:
    found = embedding_of(evaluation)
    assert found is not None
    return found


def test_outsiders_get_404_the_anonymous_the_login_and_members_both_pages(dataset: Dataset, evaluation: Evaluation) -> None:
    outsider, viewer = make_user("eve"), make_user("grace")
    share(dataset, viewer)
    video = evaluation.video_scores.all()[0].video_id
    for person, status in ((None, 302), (outsider, 404), (viewer, 200)):
        client = Client()
        if person is not None:
            client.force_login(person)
        assert [page(client, evaluation).status_code, neighbours_page(client, evaluation, video).status_code] == [status] * 2


def test_every_measure_stands_beside_its_definition_and_protocol(as_ada: Client, evaluation: Evaluation) -> None:
    text = page(as_ada, evaluation).content.decode()
    for title in ("R@1", "R@5", "mAP@R", "NMI"):
        assert f"{title} · 5 frames × 1 crop" in text
    assert "share of videos whose nearest other video is of their class" in text
    assert "Of the embedding of the metric branch (16 numbers), the mean over views" in text


def test_the_map_has_every_video_in_the_colour_of_its_class_and_a_cross_where_it_was_wrong(as_ada: Client, evaluation: Evaluation) -> None:
    figure = go.Figure(page(as_ada, evaluation).context["figure"])
    assert sorted(pk for trace in figure.data for pk in trace.customdata) == sorted(evaluation.video_scores.values_list("video", flat=True))
    points, entries = ([trace for trace in figure.data if trace.showlegend is is_entry] for is_entry in (False, True))
    assert [(trace.name, trace.marker.symbol, trace.marker.color, len(trace.x)) for trace in points] == [
        ("clap", "circle", CYCLE[0], 7), ("clap", "x", CYCLE[0], 1), ("jump", "circle", CYCLE[1], 8), ("wave", "circle", CYCLE[2], 8),
    ]  # fmt: skip
    assert points[1].text == ("clap<br>taken for jump",)
    assert [(trace.name, trace.marker.symbol, trace.marker.color, trace.x) for trace in entries] == [
        (name, "square", CYCLE[index], (None,)) for index, name in enumerate(("clap", "jump", "wave"))
    ]


def test_the_address_chooses_map_outcome_and_classes_and_nonsense_in_it_is_ignored(as_ada: Client, evaluation: Evaluation) -> None:
    keep_map(evaluation)
    wrong = page(as_ada, evaluation, map="pca", outcome="wrong").context["figure"]
    assert [len(trace["customdata"]) for trace in wrong["data"]] == [1, 0]
    assert "% of the variance" in wrong["layout"]["xaxis"]["title"]["text"]
    one = page(as_ada, evaluation, classes=["2"])
    assert [trace["name"] for trace in one.context["figure"]["data"]] == ["other classes"] * 3 + ["wave"] * 2
    assert 'value="2" checked' in one.content.decode()
    nonsense = page(as_ada, evaluation, map="tsne", outcome="'", classes=["99", "x"])
    assert len(nonsense.context["figure"]["data"]) == 4 + 3 and nonsense.context["map"] == "umap"


def test_filters_that_fit_no_video_say_so(as_ada: Client, ada: User, dataset: Dataset) -> None:
    evaluation = make_evaluation(make_run(dataset))
    keep_embeddings(evaluation)
    assert b"No video fits these filters" in page(as_ada, evaluation, outcome="wrong").content


def test_the_neighbours_of_a_video_are_those_of_the_file_with_their_classes(as_ada: Client, evaluation: Evaluation) -> None:
    embedding, score = kept(evaluation), evaluation.video_scores.select_related("video").order_by("video_id")[3]
    response = neighbours_page(as_ada, evaluation, score.video_id)
    index = embedding.videos.index(score.video.key)
    shown = response.context["neighbours"]
    assert [one.scored.video.key for one in shown] == [embedding.videos[other] for other in embedding.neighbors[index]]
    assert [one.is_same_class for one in shown] == [
        embedding.labels[other] == embedding.labels[index] for other in embedding.neighbors[index]
    ]
    assert sorted(one.distance for one in shown) == [one.distance for one in shown]
    text = response.content.decode()
    assert text.count("data-preview") == 10 and text.count("same class") == sum(one.is_same_class for one in shown)


def test_a_video_without_a_score_here_has_no_neighbours(as_ada: Client, evaluation: Evaluation, dataset: Dataset) -> None:
    training = Video.objects.filter(dataset=dataset, split_entries__subset="train")[0]
    foreign = make_dataset(make_user("eve"), name="secret").videos.all()[0]
    for video in (training, foreign):
        assert neighbours_page(as_ada, evaluation, video.pk).status_code == 404


def test_videos_that_were_deleted_since_are_left_out(as_ada: Client, evaluation: Evaluation) -> None:
    embedding = kept(evaluation)
    gone, key = embedding.videos[embedding.neighbors[0][0]], embedding.videos[0]
    Video.objects.filter(key=gone).delete()
    assert len(page(as_ada, evaluation).context["lists"][0]["places"]) in (7, 8)
    assert len(neighbours(evaluation, embedding, key)) == 9
    misplaced(evaluation, embedding)


def test_misplaced_videos_are_those_with_a_nearest_neighbour_of_another_class(as_ada: Client, evaluation: Evaluation) -> None:
    keep_embeddings(evaluation, distance=0.5)
    embedding = kept(evaluation)
    across = [i for i, near in enumerate(embedding.neighbors) if embedding.labels[i] != embedding.labels[near[0]]]
    count, shown = misplaced(evaluation, embedding)
    assert count == len(across) > 12 == len(shown)
    nearest = sorted(across, key=lambda i: (embedding.distances[i][0], i))[:12]
    assert [one.scored.video.key for one in shown] == [embedding.videos[i] for i in nearest]
    assert f"{count} videos have a nearest neighbour of another class" in page(as_ada, evaluation).content.decode()


def test_near_classes_lead_to_their_videos_and_to_the_map(as_ada: Client, evaluation: Evaluation) -> None:
    text, pair = page(as_ada, evaluation).content.decode(), kept(evaluation).pairs[0]
    for name in (pair.name_a, pair.name_b):
        assert f">{name}</a>" in text
    assert f"?map=pca&amp;classes={pair.a}&amp;classes={pair.b}" in text
    assert f"{reverse('experiments:evaluation_videos', args=(evaluation.pk,))}?true={pair.a}" in text


def test_the_page_counts_marks_and_names_the_pairs_that_are_too_near(as_ada: Client, evaluation: Evaluation) -> None:
    keep_embeddings(evaluation, distance=40)
    assert "No pair of classes is too near." in page(as_ada, evaluation).content.decode()
    keep_embeddings(evaluation, distance=0.5)
    embedding, text = kept(evaluation), page(as_ada, evaluation).content.decode()
    assert embedding.num_too_near == 3 == len(embedding.too_near) == text.count("too near</span>")
    assert "3 of 3 pairs of classes are too near:" in text
    assert (
        "so few videos cannot carry this" in text
        and "badge-wrong" not in text.split("pairs of classes are too near:")[1].split("</table>")[0]
    )
    assert all(f"{pair.name_a} – {pair.name_b}" in text and f"{pair.mixed} of 16" in text for pair in embedding.pairs)
    assert "at least 10 %, and 2 or more, of the videos of two classes have their nearest neighbour in the other class" in text


def test_without_embeddings_the_page_says_how_to_get_them_and_offers_it_to_those_who_may(dataset: Dataset) -> None:
    evaluation, viewer = make_evaluation(make_run(dataset)), make_user("grace")
    share(dataset, viewer)
    for person in (dataset.owner, viewer):
        client = Client()
        client.force_login(person)
        response = page(client, evaluation)
        assert b"No embeddings were kept" in response.content and b"To the run" in response.content
        assert (b"Test once more" in response.content) == (person == dataset.owner)
    assert neighbours_page(client, evaluation, evaluation.video_scores.all()[0].video_id).status_code == 404
    assert client.post(reverse("experiments:evaluation_repeat", args=(evaluation.pk,))).status_code == 404


def test_the_same_test_once_more_keeps_its_numbers_until_it_is_done(as_ada: Client, dataset: Dataset) -> None:
    evaluation = make_evaluation(make_run(dataset))
    again = reverse("experiments:evaluation_repeat", args=(evaluation.pk,))
    text = as_ada.post(again, follow=True).content.decode()
    job = Job.objects.get(kind=Job.Kind.EVALUATE, subject_id=evaluation.pk, state__in=Job.OPEN)
    assert f"/jobs/{job.pk}/" in text and 'hx-trigger="every 2s"' in text and "Test once more" not in text
    assert "on its way already" in as_ada.post(again, follow=True).content.decode()
    evaluation.refresh_from_db()
    assert evaluation.metrics and evaluation.job != job and Job.objects.filter(title=job.title).count() == 2
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    assert evaluation.run and job.pk in belongings([evaluation.run]).job_ids
    delete(belongings([evaluation.run]))
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_fusion_leads_to_the_embeddings_of_its_streams(as_ada: Client, dataset: Dataset) -> None:
    members = [make_evaluation(make_run(dataset, kind)) for kind in ("rgb", "flow")]
    text = page(as_ada, make_fusion(members).evaluation).content.decode()
    assert all(reverse("experiments:embedding", args=(member.pk,)) in text for member in members)


def test_an_evaluation_that_is_not_done_leads_to_its_page(as_ada: Client, dataset: Dataset) -> None:
    running = make_evaluation(make_run(dataset), state="running")
    assert page(as_ada, running).url == reverse("experiments:evaluation_detail", args=(running.pk,))


def test_what_a_reader_must_know_stands_under_the_numbers(as_ada: Client, ada: User) -> None:
    few = make_evaluation(make_run(make_dataset(ada, ("only",), videos_per_class=4, name="small")))
    keep_embeddings(few)
    response = page(as_ada, few)
    text = response.content.decode()
    assert "All videos are of one class" in text and "Too few videos for UMAP" in text
    assert response.context["map"] == "pca" and "UMAP keeps neighbours" not in text
    assert "None: that takes two classes" in text


def test_a_metric_branch_that_did_not_learn_is_said(as_ada: Client, evaluation: Evaluation) -> None:
    words = "the metric branch did not learn"
    assert evaluation.run is not None and words not in page(as_ada, evaluation).content.decode()
    evaluation.run.config["model"] = NFMML(metric_weight=0).model_dump(mode="json")
    evaluation.run.config["training"]["sampling"] = "balanced"
    evaluation.run.save()
    assert words in page(as_ada, evaluation).content.decode()


def test_results_and_the_run_lead_to_the_page(as_ada: Client, evaluation: Evaluation) -> None:
    address = reverse("experiments:embedding", args=(evaluation.pk,))
    for view, pk in (("evaluation_detail", evaluation.pk), ("run_detail", evaluation.run_id)):
        assert address in as_ada.get(reverse(f"experiments:{view}", args=(pk,))).content.decode()


def test_with_400_classes_seven_are_in_colour_and_no_class_asks_the_database(
    as_ada: Client, ada: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    dataset = make_dataset(ada, [f"class {i}" for i in range(400)], videos_per_class=4, name="kinetics")
    evaluation = make_evaluation(make_run(dataset))
    keep_embeddings(evaluation)
    page(as_ada, evaluation)
    with django_assert_max_num_queries(12):
        response = page(as_ada, evaluation)
    figure, embedding = response.context["figure"], kept(evaluation)
    assert {trace["marker"]["color"] for trace in figure["data"]} == {GRAY, *CYCLE}
    assert sum(len(trace["customdata"]) for trace in figure["data"]) == 800
    assert coloured(embedding, [])[:2] == [embedding.pairs[0].a, embedding.pairs[0].b]
    many = page(as_ada, evaluation, classes=list(map(str, range(9))))
    assert [one["index"] for one in many.context["lists"]] == list(range(7))
    assert b"The first seven classes chosen" in many.content


def test_of_very_many_grey_videos_some_are_drawn_and_all_coloured_ones() -> None:
    many = [Place(i, "", i % 10, i % 10, float(i), 0.0) for i in range(3 * MOST_GREY)]
    figure = go.Figure(embedding_map(many, [str(i) for i in range(10)], [0], ("", ""), ADDRESSES))
    grey, _grey_entry, color, _color_entry = figure.data
    assert len(grey.x) <= MOST_GREY < 2 * len(grey.x) and len(color.x) == 3 * MOST_GREY // 10
    assert grey_stride(MOST_GREY) == 1 and grey_stride(0) == 1


def test_names_are_text_without_markup() -> None:
    figure = go.Figure(embedding_map(PLACES, ["<b>bold</b>", "b"], [0, 1], ("first", "second"), ADDRESSES))
    assert figure.data[1].text == ("&lt;b&gt;bold&lt;/b&gt;<br>taken for b",)
    assert figure.layout.meta["addresses"] == ADDRESSES and figure.layout.yaxis.scaleanchor == "x"
