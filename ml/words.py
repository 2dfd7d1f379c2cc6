"""What is said to a person: English, with what was filled in kept beside, so that a page can say it in another language.

    Words("{name} is no zip file", name="a.zip")

is the string “a.zip is no zip file” wherever a string is wanted. As JSON it is an object (`packed`), from which it comes back (`unpacked`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import getitem
from typing import Any, Self

PLACE = re.compile(r"\{([a-z_]\w*)\}")
"""Where a value goes. Not `str.format`: a template may come from outside, and a value may hold braces."""


class Words(str):
    """A sentence, filled in; `template` and `values` are what it was made of. A value may be words itself."""

    template: str
    values: dict[str, str]

    def __new__(cls, template: str, /, **values: object) -> Self:
        kept = {name: value if isinstance(value, Words) else str(value) for name, value in values.items()}
        words = super().__new__(cls, filled(template, kept))
        words.template, words.values = template, kept
        return words


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; a place that has none stays as it is."""
    return PLACE.sub(lambda place: values.get(place[1], place[0]), template)


def worded(text: str, values: Mapping[str, object]) -> Words:
    """`text` with those of the values that it has places for; words stay as they are."""
    return text if isinstance(text, Words) else Words(text, **{name: values[name] for name in PLACE.findall(text) if name in values})


def counted(one: str, many: str, count: int, **values: object) -> Words:
    """`{count} video`, or `{count} videos`."""
    return Words(one if count == 1 else many, count=f"{count:,}", **values)


def joined(parts: Iterable[str], between: str = "; ") -> Words:
    """Words one after another; what stands between them is a word too."""
    values = {f"part_{number}": part for number, part in enumerate(parts)}
    return Words("{between}".join(f"{{{name}}}" for name in values), **values, between=Words(between))


def packed(data: Any) -> Any:
    """JSON data whose words are objects, unless they have no values: the English for every reader, and what it was made of."""
    match data:
        case Words() if data.values:
            return _object(data)
        case Mapping():
            return {name: packed(value) for name, value in data.items()}
        case list() | tuple():
            return [packed(value) for value in data]
        case _:
            return data


def _object(words: Words) -> dict[str, Any]:
    values = {name: _object(value) if isinstance(value, Words) else value for name, value in words.values.items()}
    return {"text": str(words), "template": words.template, "values": values}


def unpacked(fields: dict[str, Any]) -> Any:
    """The inverse for one object, other data stay what they are: `json.loads(text, object_hook=unpacked)`."""
    if fields.keys() != {"text", "template", "values"} or not isinstance(fields["template"], str) or not isinstance(fields["values"], dict):
        return fields
    values = {name: unpacked(value) if isinstance(value, dict) else value for name, value in fields["values"].items()}
    return Words(fields["template"], **values)


Place = list[str | int]
"""The keys and indices that lead to a value of JSON data."""


def words_in(data: Any) -> Iterator[tuple[Place, Words]]:
    """All words with values in JSON data, with their places."""
    match data:
        case Words() if data.values:
            yield [], data
        case Mapping():
            yield from (([name, *place], words) for name, value in data.items() for place, words in words_in(value))
        case list() | tuple():
            yield from (([number, *place], words) for number, value in enumerate(data) for place, words in words_in(value))


def put_words(data: Any, given: Iterable[dict[str, Any]]) -> None:
    """The inverse: each `{"at": place, "text", "template", "values"}` takes the place of its text in `data`."""
    for words in given:
        *path, last = words.pop("at")
        reduce(getitem, path, data)[last] = unpacked(words)


class WordsEncoder(json.JSONEncoder):
    """Writes words as objects."""

    def encode(self, o: Any) -> str:
        return super().encode(packed(o))


class WordsDecoder(json.JSONDecoder):
    """Reads such objects as words."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "object_hook": unpacked})
