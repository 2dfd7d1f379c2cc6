"""Makes `import torchvision` work beside a CPU-only torch. Import this module before torchvision or timm.

The torchvision wheel on PyPI is built for CUDA. Without CUDA libraries its native part cannot load, its operators stay
undeclared, and torchvision fails on import although all of its pure-Python parts would work. Declaring the two schemas
that it looks up is enough; calling the operators themselves still fails, as it should.
"""

from importlib.util import find_spec
from pathlib import Path

import torch

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def native_library() -> Path | None:
    """Torchvision's compiled operators, found without importing torchvision."""
    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return None
    return next(iter(sorted(Path(spec.origin).parent.glob("_C*.so"))), None)


def loads(library: Path | None) -> bool:
    """Whether this torch can use the compiled operators."""
    if library is None:
        return False
    try:
        torch.ops.load_library(library)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


def declare_operators() -> torch.library.Library:
    """Declare the schemas alone. They vanish with the returned object, so keep it."""
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library


DECLARED = None if loads(native_library()) else declare_operators()
