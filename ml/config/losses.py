"""Losses of metric learning: one schema each, joined by `kind`."""

from typing import Annotated, Literal

from pydantic import Field

from ml.config.schema import Schema, knob

MarginFunction = Literal["constant", "exp", "log", "ratio"]


class LiftedStructure(Schema):
    """Lifted structured loss (Song et al. 2016) with the adaptive margins of NFMML (Zhi et al. 2018, eq. 4 to 6)."""

    kind: Literal["lifted_structure"] = "lifted_structure"
    margin: MarginFunction = knob(
        "exp", "Margin function", "The margin that a negative pair must keep: constant, or the larger the nearer it is (Table 3 of NFMML)."
    )
    alpha: float = knob(1.0, "Constant margin α", "Used by the constant margin alone.", gt=0, le=100)
    gradient: Literal["paper", "full"] = knob(
        "paper",
        "Gradient",
        "The paper's equations 7 to 9, which hold the margin fixed while the positive pair moves, or the full gradient of equation 6.",
    )


class Triplet(Schema):
    """Triplet loss on mined triplets (Schroff et al. 2015)."""

    kind: Literal["triplet"] = "triplet"
    margin: float = knob(0.2, "Margin", "How much nearer than a negative a positive must be.", gt=0, le=100)
    mining: Literal["semihard", "hard", "both"] = knob(
        "semihard", "Mining", "Triplets that count: those whose negative is farther, but within the margin; those whose is nearer; or both."
    )


class SupCon(Schema):
    """Supervised contrastive loss (Khosla et al. 2020), on the cosines of the embeddings."""

    kind: Literal["sup_con"] = "sup_con"
    temperature: float = knob(0.1, "Temperature", "Smaller weighs the nearest negatives more.", gt=0, le=10)


class ProxyAnchor(Schema):
    """Proxy anchor loss (Kim et al. 2020): one learnt point a class, cosines to it."""

    kind: Literal["proxy_anchor"] = "proxy_anchor"
    margin: float = knob(0.1, "Margin", "Margin on the cosine.", ge=0, le=1)
    alpha: float = knob(32.0, "Scale α", "What the cosines are multiplied with.", gt=0, le=1000)


class ArcFace(Schema):
    """Additive angular margin (Deng et al. 2019): one learnt direction a class, angles to it."""

    kind: Literal["arc_face"] = "arc_face"
    margin: float = knob(28.6, "Margin", "Added to the angle to the own class.", ge=0, le=90, unit="°")
    scale: float = knob(64.0, "Scale", "What the cosines are multiplied with.", gt=0, le=1000)


MetricLoss = Annotated[LiftedStructure | Triplet | SupCon | ProxyAnchor | ArcFace, Field(discriminator="kind")]
