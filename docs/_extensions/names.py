"""Names in docstrings and signatures: short ones are found, and long ones are made short.

A docstring writes `TaskModel` wherever the class is documented, and the parameters of its function
or class in the same way.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx import addnodes
from sphinx.util import inspect
from sphinx.util.nodes import make_refnode

# What Python makes of numpy.typing.NDArray[...], Sphinx of an alias inside of another type, and
# both of a default that is an object.
DTYPE = r"~numpy\.dtype\[(.*?)\]"
SHORTER = (
    (
        rf"~numpy\.ndarray\[(?:tuple\[~typing\.Any, \.\.\.\]|~typing\.Any), {DTYPE}\]",
        r"~numpy.typing.NDArray[\1]",
    ),
    (r"(?:~\w+(?:\.\w+)*\.)?TypeAliasForwardRef\('(.*?)'\)", r"\1"),
    (r"<(?:factory|function \w+)>", "..."),
    (r"PosixPath\(", "Path("),
    (r"numpy\.random\._generator\.", "numpy.random."),
    # Python cannot evaluate pandas.Series[float].
    (r"\bpd\.", "~pandas."),
)


def setup(app: Any) -> dict[str, bool]:
    """Connect both functions, `resolve` before intersphinx."""
    app.connect("missing-reference", resolve, priority=400)
    app.connect("autodoc-process-signature", as_written)
    return {"parallel_read_safe": True}


def as_written(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: Any, returns: Any
) -> tuple[Any, Any]:
    """Return a signature whose types are written as in the source."""
    if what == "class" and signature == "(*args, **kwargs)":  # of Keras' Model.__new__
        signature = inspect.stringify_signature(
            inspect.signature(obj.__init__, bound_method=True),
            show_return_annotation=False,
            unqualified_typehints=True,
        )
    for pattern, short in SHORTER:
        signature, returns = (
            text and re.sub(pattern, short, text) for text in (signature, returns)
        )
    return signature, returns


def resolve(app: Any, env: Any, node: Any, text: Any) -> Any:
    """Return a link to the only object with this name, or the text of a parameter."""
    if node.get("refdomain") != "py":
        return None
    name = node["reftarget"]
    if node.get("reftype") == "obj" and name in _parameters(node):
        return text
    objects = env.domains.python_domain.objects
    found = [
        each for each, entry in objects.items() if each.endswith(f".{name}") and not entry.aliased
    ]
    if len(found) != 1:  # Sphinx warns of it
        return None
    entry = objects[found[0]]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, text, found[0])


def _parameters(node: Any) -> set[str]:
    """Return the parameters of the function, and of its class, whose docstring holds a node."""
    names: set[str] = set()
    while node is not None:
        if isinstance(node, addnodes.desc):
            for parameter in node[0].findall(addnodes.desc_parameter):
                names.update(each.astext() for each in parameter.findall(addnodes.desc_sig_name))
        node = node.parent
    return names
