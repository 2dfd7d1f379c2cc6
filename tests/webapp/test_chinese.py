"""The pages in Simplified Chinese, as a reader sees them: no English sentence is left over."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from tests.webapp.factories import make_dataset, make_evaluation, make_fusion, make_prediction, make_run, make_user

SILENT = {"script", "style", "svg", "pre", "code"}
READ_OUT = {"aria-label", "title", "placeholder", "alt", "data-confirm"}
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,})+|^[A-Z]?[a-z]{4,}$")
"""Two English words in a row, or a lone one."""

OURS = re.compile(
    r"ada|gestures|clap|jump|wave|v\d{5}|fused|clip\.mp4|(rgb|flow) run|(train|evaluate|fuse|predict) job|"  # rows of this test
    r"Kinetoscope|English|(Simonyan & Zisserman|Wang et al\.|Zhi et al\.)[^。]*|Xavier|"
    r"Zach, Pock & Bischof|OpenCV( contrib)?|Kroeger|Farnebäck|"
    r"folder_per_class|celery -A worker\.app worker|make run|ImageNet|"
    r"m?AP VOC \d{4}|Table \w+, row \d|split \d, [\d.]+ %|Dropout|dropout|softmax|^predict$"  # notes on papers, terms, a queue
)


class Words(HTMLParser):
    """The texts of a page, and those of its attributes that are shown or read out."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in SILENT or ("class", "mono") in attributes:
            self._inside.append(tag)
        self.found += [text for name, text in attributes if name in READ_OUT and text]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, text: str) -> None:
        if not self._inside and text.strip():
            self.found.append(" ".join(text.split()))


def left_over(page: str) -> list[str]:
    return [text for text in Words(page).found if ENGLISH.search(OURS.sub("", text).strip())]


pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(client: Client) -> list[str]:
    """Addresses of a workbench in use: two runs, tested, and their fusion."""
    user = make_user(is_superuser=True)
    client.force_login(user)
    dataset, other = make_dataset(user), make_dataset(user, classes=("clap", "gestures"))
    runs = [make_run(dataset), make_run(dataset, "flow")]
    evaluations = [make_evaluation(run) for run in runs]
    fusion = make_fusion(evaluations, lambda label, position: label + (position == 0))
    prediction = make_prediction(user, runs[0])
    run = f"/experiments/{runs[0].pk}/"
    return [
        "/", "/datasets/", "/datasets/import/", f"/datasets/{dataset.pk}/", f"/datasets/{dataset.pk}/videos/",
        f"/datasets/videos/{dataset.videos.earliest('pk').pk}/", f"/datasets/{dataset.pk}/flow/new/",
        "/experiments/", "/experiments/new/", "/experiments/new/run/", "/experiments/new/two-stream/", run, f"{run}?tab=config",
        f"{run}?tab=curves", f"/experiments/evaluations/{evaluations[0].pk}/", f"/experiments/fusions/{fusion.pk}/",
        f"/experiments/compare?runs={runs[0].pk}&runs={runs[1].pk}", "/jobs/", f"/jobs/{runs[0].job_id}/", "/predict/",
        f"/predict/{prediction.pk}/", "/jobs/system/", f"/experiments/evaluations/{evaluations[0].pk}/videos", "/experiments/fusions/new",
        f"/datasets/{dataset.pk}/combine/?second={other.pk}&shared=joined", f"/experiments/evaluations/{evaluations[0].pk}/embedding",
        "/accounts/users/", "/accounts/password/",
    ]  # fmt: skip


@pytest.mark.usefixtures("chinese")
def test_no_page_has_english_left(client: Client, pages: list[str]) -> None:
    found = {}
    for address in pages:
        answer = client.get(address, headers={"Accept-Language": "zh-hans"})
        assert answer.status_code == 200, address
        found[address] = left_over(answer.content.decode())
    assert {address: texts for address, texts in found.items() if texts} == {}


HAN = "[\u4e00-\u9fff]"
ODD = re.compile(rf"{HAN} {HAN}|{HAN} ?[:;,!?()]|[:;,!?()]{HAN}|[：；，（] | [，。：；（）]")
"""A space between two Chinese characters, narrow punctuation beside one, a space beside wide punctuation but for a sentence's end."""


@pytest.mark.usefixtures("chinese")
def test_chinese_has_its_own_punctuation(client: Client, pages: list[str]) -> None:
    found = {}
    for address in pages:
        texts = Words(client.get(address, headers={"Accept-Language": "zh-hans"}).content.decode()).found
        found[address] = [text for text in texts if ODD.search(text)]
    assert {address: texts for address, texts in found.items() if texts} == {}


@pytest.mark.usefixtures("chinese")
def test_the_login_speaks_chinese(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "视频动作识别工作台" in page
    assert left_over(page) == []


def test_english_is_noticed(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"Accept-Language": "en"}).content.decode()
    assert "A workbench for video action recognition" in left_over(page)
