"""Render a report as one HTML file, without network access or libraries."""

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from warmer_evals.report.view import View


def render_page(view: View) -> str:
    """Render a view as a page. Texts are escaped; the policy allows only our own style and script, by hash."""
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_csp_hash(style)}'; script-src '{_csp_hash(script)}'; base-uri 'none'"
    environment = Environment(
        loader=PackageLoader("warmer_evals.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    page = environment.get_template("page.html.j2")
    return page.render(view=view, style=Markup(style), script=Markup(script), policy=policy)  # noqa: S704 - our own files


def _csp_hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
