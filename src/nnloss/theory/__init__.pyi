from . import backpropagation, glm, hidden_states, identities, landscape, pitfalls
from .claims import Claim, same

__all__ = [
    "Claim",
    "backpropagation",
    "glm",
    "hidden_states",
    "identities",
    "landscape",
    "pitfalls",
    "same",
]
