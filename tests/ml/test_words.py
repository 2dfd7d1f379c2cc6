"""A sentence keeps what it was made of, on every way it goes."""

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.errors import BadArchive, in_sentences
from ml.events import Failed, Result, parse
from ml.words import Words, WordsDecoder, WordsEncoder, counted, joined

NESTED = Words("{path}: {problem}", path="a{problem}.avi", problem=Words("{count} frames", count=3))


def parts(text: str) -> object:
    return {"": text.template, **{name: parts(value) for name, value in text.values.items()}} if isinstance(text, Words) else text


def test_words_are_the_english_string() -> None:
    assert NESTED == "a{problem}.avi: 3 frames"
    assert json.dumps({"message": NESTED}) == '{"message": "a{problem}.avi: 3 frames"}'


@given(st.text())
def test_a_value_is_filled_in_as_it_is(name: str) -> None:
    assert Words("“{name}” and {other}", name=name) == f"“{name}” and {{other}}"


@pytest.mark.parametrize("template", ["{0}", "{}", "{name.__class__}", "{name!r}", "{name:>99}", "{{name}}"])
def test_a_template_reaches_no_further_than_its_values(template: str) -> None:
    assert Words(template, name="x") == template.replace("{name}", "x")


@pytest.mark.parametrize(
    "there_and_back",
    [
        copy.deepcopy,
        lambda words: pickle.loads(pickle.dumps(words)),  # noqa: S301 - as between our processes
        lambda words: json.loads(json.dumps(words, cls=WordsEncoder), cls=WordsDecoder),
        lambda words: json.loads(json.dumps([{"deep": (words,)}], cls=WordsEncoder), cls=WordsDecoder)[0]["deep"][0],
        lambda words: parse(Failed("X", words).json_line()).message,  # type: ignore[attr-defined]
        lambda words: parse(Result({"a/b": [1, {"deep": (words,)}]}).json_line()).data["a/b"][1]["deep"][0],  # type: ignore[attr-defined]
    ],
)
def test_words_come_back_as_they_were(there_and_back) -> None:  # type: ignore[no-untyped-def]
    assert parts(there_and_back(NESTED)) == parts(NESTED)


def test_a_line_for_other_programs_holds_plain_texts() -> None:
    line = json.loads(Failed("BadVideo", NESTED, "Leave it out.").json_line())
    assert (line["message"], line["advice"]) == ("a{problem}.avi: 3 frames", "Leave it out.")
    assert [each["at"] for each in line["words"]] == [["message"]]
    assert "words" not in json.loads(Failed("BadVideo", "It is damaged").json_line())


def test_json_that_only_resembles_words_stays_what_it_is() -> None:
    for other in ({"text": "x"}, {"text": "x", "template": "x", "values": []}, {"text": "x", "template": 3, "values": {}}):
        assert json.loads(json.dumps(other), cls=WordsDecoder) == other


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Damaged", "Damaged. 再试。"),
        ("Damaged!", "Damaged! 再试。"),
        ("已损坏", "已损坏。再试。"),
        ("已损坏。", "已损坏。再试。"),
    ],
)
def test_a_message_gets_the_full_stop_of_its_own_script(message: str, said: str) -> None:
    assert in_sentences(message, "再试。") == said and in_sentences(message, "") == message


def test_an_error_fills_both_its_sentences() -> None:
    error = BadArchive("{name} is no zip file", "Unpack {name}.", name="a.zip")
    assert (str(error), error.advice, error.sentences) == ("a.zip is no zip file", "Unpack a.zip.", "a.zip is no zip file. Unpack a.zip.")
    assert parts(error.message) == {"": "{name} is no zip file", "name": "a.zip"}


def test_an_error_keeps_its_words_on_the_way_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(BadArchive("{name} is no zip file", "Unpack it.", name="a.zip")))  # noqa: S301
    assert parts(error.message) == {"": "{name} is no zip file", "name": "a.zip"} and error.advice == "Unpack it."


def test_an_error_without_values_leaves_braces_alone() -> None:
    assert str(BadArchive("{name} is no zip file")) == "{name} is no zip file"


def test_a_sentence_without_values_is_a_string_in_json_but_words_within_words() -> None:
    error = BadArchive("It is encrypted")
    assert json.loads(json.dumps(error.message, cls=WordsEncoder)) == "It is encrypted"
    within = json.loads(json.dumps(Words("{name}: {problem}", name="a", problem=error.message), cls=WordsEncoder), cls=WordsDecoder)
    assert parts(within.values["problem"]) == {"": "It is encrypted"} and parts(within.values["name"]) == "a"


def test_one_is_not_many() -> None:
    assert [counted("{count} video", "{count} videos", n) for n in (0, 1, 2000)] == ["0 videos", "1 video", "2,000 videos"]


def test_joined_words_stay_apart() -> None:
    both = joined([NESTED, "plain"])
    assert both == f"{NESTED}; plain" and parts(both.values["part_0"]) == parts(NESTED)
