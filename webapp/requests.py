"""What views are given, and how they tell what the user can mend."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.contrib.auth.models import User
from django.forms import BaseForm
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from ml.errors import UserError
from webapp.punctuation import labelled


class Request(HttpRequest):
    """For views that ask who it is, or whether htmx is: the middlewares see to both."""

    user: User
    htmx: HtmxDetails


@contextmanager
def told(request: HttpRequest) -> Iterator[None]:
    """What goes wrong inside is a message on the next page."""
    try:
        yield
    except UserError as error:
        messages.error(request, error.sentences)


def tell_errors(request: HttpRequest, *forms: BaseForm) -> None:
    """What is wrong with forms that have no page of their own, as messages on the next one, each with the name of its field."""
    for form in forms:
        for name, problems in form.errors.items():
            text = " ".join(map(str, problems))
            messages.error(request, labelled(form[name].label, text) if name in form.fields else text)
