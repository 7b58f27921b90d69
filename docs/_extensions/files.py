"""Let links of Markdown to files of the repository lead to what the site has of them."""

from __future__ import annotations

import os
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.osutil import relative_uri


class Places(SphinxTransform):
    """Change the links of a page before Sphinx looks for their targets.

    A notebook has its page, a file that is published as it is has its address. MyST takes a
    Markdown file outside of the sources for a page; it is offered to download, like other files.
    """

    default_priority = 400

    def apply(self) -> None:
        """Change the links that are written as in Markdown, not as a role."""
        folder = Path(self.app.confdir)
        page = self.app.builder.get_target_uri(self.env.docname)
        published = {folder / name: name for name in self.config.html_extra_path}
        published |= {
            (folder / name).resolve(): f"_static/{Path(name).name}"
            for name in self.config.html_static_path
        }
        for link in list(self.document.findall(download_reference)):
            path = Path(self.env.relfn2path(link["reftarget"])[1]).resolve()
            if link["reftype"] == "myst" and path in published:
                target = relative_uri(page, published[path])
                link.replace_self(nodes.reference("", "", *link.children, refuri=target))
        for link in list(self.document.findall(pending_xref)):
            path = Path(link["reftarget"])
            if link["reftype"] == "myst" and path.parent == folder.parent / "notebooks":
                link["reftarget"] = f"labs/{path.name}"
            elif link["reftype"] == "myst" and path.is_absolute():
                target = f"/{os.path.relpath(path.with_suffix('.md'), folder)}"
                link.replace_self(download_reference("", "", *link.children, reftarget=target))


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the transform."""
    app.add_transform(Places)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
