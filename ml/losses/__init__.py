"""Losses of metric learning, one file each: embeddings (B, D) and labels (B,) → a scalar. Cross-entropy needs no file.

Whoever builds one from pytorch-metric-learning imports that library, with SciPy and scikit-learn: 1.3 s that no other start pays.
"""

from collections.abc import Callable

from torch import nn

from ml.config.losses import ArcFace, LiftedStructure, MetricLoss, ProxyAnchor, SupCon, Triplet
from ml.config.schema import Schema
from ml.losses.arc_face import build_arc_face
from ml.losses.lifted_structure import build_lifted_structure
from ml.losses.proxy_anchor import build_proxy_anchor
from ml.losses.sup_con import build_sup_con
from ml.losses.triplet import build_triplet

LOSSES: dict[type[Schema], Callable[..., nn.Module]] = {
    LiftedStructure: build_lifted_structure,
    Triplet: build_triplet,
    SupCon: build_sup_con,
    ProxyAnchor: build_proxy_anchor,
    ArcFace: build_arc_face,
}


def build_loss(config: MetricLoss, embedding_size: int, num_classes: int) -> nn.Module:
    """The loss of `config`. What it learns itself, proxies or directions, are its parameters.

    It raises BadBatch for a batch without the pairs that it compares.
    """
    return LOSSES[type(config)](config, embedding_size, num_classes)
