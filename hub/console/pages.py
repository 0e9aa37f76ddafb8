"""The pages. Rendered here and stateless: the language is in the address, nothing needs script, a page moves by hand only."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.resources import files
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from hub import __version__
from hub.console import format as formats
from hub.console.overview import overview
from hub.console.words import FACTS, LANGS, WORDS

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
# Swagger UI sets styles from its script and draws its arrows from data: addresses; all else comes from here, or not at all.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STATIC = {
    "tokens.css": "text/css",
    "dark.css": "text/css",
    "console.css": "text/css",
    "docs.css": "text/css",
    "docs.js": "text/javascript",
    "mark.svg": "image/svg+xml",
}
_SWAGGER = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}

Lang = Annotated[Literal["zh", "en"], Query(description="zh or en")]


def router(caller: Callable[..., Any]) -> APIRouter:
    """The pages' routes; `caller` tells who looks, or refuses."""
    pages = APIRouter(include_in_schema=False)
    templates = _templates()

    looks = Depends(caller)

    @pages.get("/")
    def start(request: Request, lang: Lang = "zh", who: Any = looks) -> HTMLResponse:
        seen = overview(request.app.state.hub, who.tenant, lang)
        page = templates.get_template("overview.html").render(_words(lang, seen) | {"o": seen})
        return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})

    @pages.get("/docs")
    def docs(lang: Lang = "zh") -> HTMLResponse:
        page = templates.get_template("docs.html").render(_base(lang))
        return HTMLResponse(page, headers={"Content-Security-Policy": _DOCS_POLICY, "Cache-Control": "no-store"})

    @pages.get("/static/{name}")
    def static(name: str) -> Response:
        """One of the files that the pages name, and no other."""
        if name in _STATIC:
            folder = files("hub.console") / "static"
        elif name in _SWAGGER:
            folder = files("fastapi_offline") / "static"
        else:
            raise HTTPException(404)
        media_type = _STATIC.get(name) or _SWAGGER[name]
        return FileResponse(str(folder / name), media_type=media_type, headers={"Cache-Control": "public, max-age=3600"})

    return pages


def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("hub.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _base(lang: str) -> dict[str, Any]:
    words = WORDS[lang]

    def say(word: str, **values: object) -> str:
        return words[word].format(**values) if values else words[word]

    return {"lang": lang, "html_lang": LANGS[lang], "t": say, "version": __version__}


def _words(lang: str, seen: Any) -> dict[str, Any]:
    def fact(type_: str) -> str:
        return FACTS.get(type_, type_) if lang == "zh" else type_.replace(".", " ").replace("_", " ")

    return _base(lang) | {
        "money": formats.money,
        "figure": formats.figure,
        "count": formats.count,
        "percent": formats.percent,
        "day": partial(formats.day, lang=lang),
        "moment": partial(formats.moment, now=seen.now, zone=seen.zone, lang=lang),
        "today": formats.today(seen.now, seen.zone, lang),
        "fact": fact,
        "in_path": partial(quote, safe=""),
    }
