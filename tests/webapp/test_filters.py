"""The picture of a run's first layer on its page."""

import json

import pytest
from django.test import Client

from tests.webapp.factories import make_dataset, make_run, make_user

pytestmark = pytest.mark.django_db
FACTS = {"filters": 96, "channels": 20, "height": 7, "width": 7, "smallest": 0.1, "largest": 0.4}


def test_the_picture_stands_on_the_page_in_words_too_and_outsiders_do_not_see_it(client: Client) -> None:
    user = make_user()
    run = make_run(make_dataset(user), "flow")
    client.force_login(user)
    assert "when the training is over" in client.get(f"/experiments/{run.pk}/?tab=filters").content.decode()
    assert client.get(f"/experiments/{run.pk}/filters.png").status_code == 404
    run.folder.mkdir(parents=True)
    (run.folder / "filters.json").write_text(json.dumps(FACTS))
    (run.folder / "filters.png").write_bytes(b"\x89PNG")
    page = client.get(f"/experiments/{run.pk}/?tab=filters").content.decode()
    assert "96 filters of 7 × 7 weights: a column each; 20 input channels: a row each" in page and "0.100 to 0.400" in page
    answer = client.get(f"/experiments/{run.pk}/filters.png")
    assert answer["Content-Type"] == "image/png" and b"".join(answer) == b"\x89PNG"
    client.force_login(make_user("eve"))
    assert client.get(f"/experiments/{run.pk}/filters.png").status_code == 404
