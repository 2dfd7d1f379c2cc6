"""A protocol as people and programs write it on a command line, and what stands behind it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ml.config.evaluation import Protocol
from ml.config.schema import first_problem
from ml.errors import BadConfig
from ml.words import Words, joined

ADVICE = "Write it like 25x10 or 5x1:logits: 1 to 250 frames × 1, 5 or 10 crops, or 25xfull for whole frames; or as JSON."


def parse_protocol(text: str) -> Protocol:
    """`25x10`, `5x1:logits` or `{"frames": 25, "crops": 10}` → Protocol.

    Raises:
        BadConfig: it is none.
    """
    try:
        return Protocol.model_validate_json(text) if text.lstrip().startswith("{") else Protocol.parse(text)
    except ValidationError as error:
        raise BadConfig("“{text}” is not a protocol: {where}: {problem}", ADVICE, text=text, **first_problem(error)) from error
    except ValueError as error:
        raise BadConfig(error.args[0], ADVICE) from error


def described(protocol: Protocol, num_segments: int, facts: Mapping[str, Any]) -> Words:
    """A run's test, fit to stand beside a number: also whose classes are meant, where the run learnt several datasets."""
    tested, others = protocol.describe(num_segments), facts.get("also", ())
    head = Words("head of “{dataset}”, one of {heads}", dataset=facts.get("dataset", ""), heads=len(others) + 1)
    return joined([tested, head]) if others else tested
