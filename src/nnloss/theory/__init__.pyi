from . import (
    backpropagation,
    claims,
    depth,
    glm,
    hidden_states,
    identities,
    landscape,
    one_parameter,
    pairings,
    pitfalls,
    precision,
    problems,
    sizes,
    stages,
)
from .captions import CAPTIONS
from .claims import Claim, same

__all__ = [
    "CAPTIONS",
    "Claim",
    "backpropagation",
    "claims",
    "depth",
    "glm",
    "hidden_states",
    "identities",
    "landscape",
    "one_parameter",
    "pairings",
    "pitfalls",
    "precision",
    "problems",
    "same",
    "sizes",
    "stages",
]
