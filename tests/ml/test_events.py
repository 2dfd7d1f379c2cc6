"""Events survive the way through a pipe."""

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml import events
from ml.events import EVENTS, Event, Failed, Log, Progress, parse

FLOATS, TEXT = st.floats(allow_nan=False), st.text()
ANYTHING = st.dictionaries(TEXT, st.none() | TEXT | st.lists(FLOATS))
VALUES: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: FLOATS,
    float | None: st.none() | FLOATS,
    int | None: st.none() | st.integers(),
    dict[str, float]: st.dictionaries(TEXT, FLOATS),
    dict[str, Any]: ANYTHING,
}


@pytest.mark.parametrize("kind", EVENTS.values())
@given(data=st.data())
def test_a_parsed_line_is_the_event_it_was_made_from(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(st.builds(kind, **{field.name: VALUES[field.type] for field in fields(kind)}))
    assert parse(event.json_line()) == event


def test_every_event_is_in_the_table() -> None:
    declared = {name for name, thing in vars(events).items() if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event}
    assert set(EVENTS) == declared


def test_a_line_is_one_line_whatever_the_text() -> None:
    line = Log("two\nlines\u2028and a 打").json_line()
    assert "\n" not in line and json.loads(line)["message"] == "two\nlines\u2028and a 打"


@pytest.mark.parametrize(
    "line", ["", "chatter", "[]", "3", "null", '{"event": "Nothing"}', '{"done": 1}', '{"event": "Progress", "done": 1, "x": 2}']
)
def test_what_is_no_event_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not an event"):
        parse(line)


def test_fields_with_a_default_may_be_left_out() -> None:
    assert parse('{"event": "Progress", "done": 1, "total": 2}') == Progress(1, 2)
    assert parse('{"event": "Failed", "code": "X", "message": "m"}') == Failed("X", "m")
