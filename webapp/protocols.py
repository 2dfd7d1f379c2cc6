"""Test protocols and fusions in the reader's language: what stands beside every number."""

from collections.abc import Callable

from ml.config.evaluation import FusionConfig, Protocol
from ml.words import Words
from webapp.choices import name_of
from webapp.words import said


def words_of(protocol: Protocol) -> str:
    return said(protocol.describe())


def views_of(short: str) -> str:
    """A protocol's short name in words: `5x1:logits` → “5 frames × 1 crop”; of streams that were tested differently, each one's."""
    return _each(short, Protocol.views)


def brief_of(short: str) -> str:
    """As `views_of`, with what else tells protocols apart: `5 frames × 1 crop, scores before softmax`; for the lines of a list."""
    return _each(short, Protocol.brief)


def _each(short: str, words: Callable[[Protocol], Words]) -> str:
    return " + ".join(dict.fromkeys(_of_one(one, words) for one in short.split(" + ")))


def _of_one(short: str, words: Callable[[Protocol], Words]) -> str:
    try:
        return said(words(Protocol.parse(short)))
    except ValueError:  # of another program
        return short


def method_words(config: FusionConfig) -> str:
    """`Average`, or `Linear SVM (held-out folds: 5)`."""
    return f"{name_of(config.method)} ({fit_words(config)})" if config.method == "svm" else str(name_of(config.method))


def fit_words(config: FusionConfig) -> str:
    """What the SVM is to be fitted on: `held-out folds: 5`."""
    return f"{name_of(config.fit)}: {config.folds}" if config.fold_runs else str(name_of(config.fit))
