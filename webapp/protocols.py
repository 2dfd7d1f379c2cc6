"""Test protocols and fusions in the reader's language: what stands beside every number."""

from ml.config.evaluation import FusionConfig, Protocol
from webapp.choices import name_of
from webapp.words import said


def words_of(protocol: Protocol) -> str:
    return said(protocol.describe())


def views_of(short: str) -> str:
    """A protocol's short name in words: `5x1:logits` → “5 frames × 1 crop”; of streams that were tested differently, each one's."""
    return " + ".join(dict.fromkeys(map(_views, short.split(" + "))))


def _views(short: str) -> str:
    try:
        return said(Protocol.parse(short).views())
    except ValueError:  # of another program
        return short


def method_words(config: FusionConfig) -> str:
    """`Average`, or `Linear SVM (held-out folds: 5)`."""
    return f"{name_of(config.method)} ({fit_words(config)})" if config.method == "svm" else str(name_of(config.method))


def fit_words(config: FusionConfig) -> str:
    """What the SVM is to be fitted on: `held-out folds: 5`."""
    return f"{name_of(config.fit)}: {config.folds}" if config.fold_runs else str(name_of(config.fit))
