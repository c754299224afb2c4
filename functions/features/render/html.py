"""The pages of the OGC API that a person reads: every text escaped, no script, one style within the page."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import orjson

from functions.features.domain.feature import Feature
from functions.features.render.links import Address, Link

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}a{color:#0b57a4}table{border-collapse:collapse;display:block;overflow-x:auto}"
    "th,td{border:1px solid #767676;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#f0f0f0}"
    "nav{margin-bottom:1rem}code{overflow-wrap:anywhere}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"
"""The pages' Content-Security-Policy: nothing but their own style."""


def document_page(title: str, document: dict[str, Any], trail: Sequence[tuple[str, str]]) -> str:
    """A document: its texts, its links, and the rest as a table. `trail` are the pages above, with addresses."""
    texts = "".join(f"<p>{escape(str(document[name]))}</p>" for name in ("description",) if name in document)
    links = [link for link in document.get("links", ()) if link["rel"] not in ("self", "alternate")]
    listed = "".join(
        f'<li><a href="{escape(_readable(link))}">{escape(link.get("title") or link["rel"])}</a>'
        f" ({escape(link['type'])})</li>"
        for link in links
        if not link.get("templated")
    )
    hidden = ("title", "description", "links", "collections", "properties", "$schema", "$id")
    rest = {name: value for name, value in document.items() if name not in hidden}
    body = texts + (f"<ul>{listed}</ul>" if listed else "") + _facts(rest)
    return _page(title, trail, body)


def collections_page(document: dict[str, Any], trail: Sequence[tuple[str, str]]) -> str:
    """The list of collections."""
    rows = [
        (
            f'<a href="{escape(_self(collection))}">{escape(collection["title"])}</a>',
            escape(collection["id"]),
            escape(collection["description"]),
        )
        for collection in document["collections"]
    ]
    return _page("Collections", trail, _table(("Collection", "Name", "Description"), rows))


def schema_page(title: str, document: dict[str, Any], trail: Sequence[tuple[str, str]]) -> str:
    """Queryables or a schema: a row for each property."""
    rows = [
        (
            f"<code>{escape(name)}</code>",
            escape(str(described.get("title", ""))),
            escape(str(described.get("format") or described.get("type", ""))),
            escape(str(described.get("x-ogc-unit", ""))),
            escape(str(described.get("description", ""))),
        )
        for name, described in document["properties"].items()
    ]
    return _page(title, trail, _table(("Property", "Title", "Type", "Unit", "Codes"), rows))


def features_page(
    title: str,
    features: Sequence[Feature],
    links: Sequence[Link],
    matched: int | None,
    trail: Sequence[tuple[str, str]],
    items_address: Address,
) -> str:
    """A page of features as a table; the geometry stays with GeoJSON."""
    read = [orjson.loads(feature.properties) for feature in features]
    names = list(read[0]) if read else []
    rows = [
        (
            f'<a href="{escape(items_address.of(feature.feature_id, f="html"))}">{escape(feature.feature_id)}</a>',
            *(_cell(properties.get(name)) for name in names),
        )
        for feature, properties in zip(features, read, strict=True)
    ]
    known = "" if matched is None else f" of {matched:,}"
    body = f"<p>{len(features):,}{known} features.</p>{_pages(links)}{_table(('id', *names), rows)}{_pages(links)}"
    return _page(title, trail, body)


def feature_page(title: str, feature: Feature, links: Sequence[Link], trail: Sequence[tuple[str, str]]) -> str:
    """A single feature."""
    properties = orjson.loads(feature.properties)
    rows = [(f"<code>{escape(name)}</code>", _cell(value)) for name, value in properties.items()]
    rows.append(("<code>geometry</code>", f"<code>{escape(feature.geometry[:2000])}</code>"))
    return _page(title, trail, _pages(links) + _table(("Property", "Value"), rows))


def _pages(links: Iterable[Link]) -> str:
    names = {"next": "Next page", "alternate": "As GeoJSON"}
    shown = [f'<a href="{escape(link.href)}">{names[link.rel]}</a>' for link in links if link.rel in names]
    return f"<p>{' | '.join(shown)}</p>" if shown else ""


def _readable(link: dict[str, Any]) -> str:
    """The address of a link's page to read; a schema or a document has one, tiles and files have none."""
    href = str(link["href"])
    if link["type"] == "text/html" or not href.startswith("http") or "opengis.net" in href:
        return href
    return f"{href}{'&' if '?' in href else '?'}f=html"


def _self(document: dict[str, Any]) -> str:
    return next(_readable(link) for link in document["links"] if link["rel"] == "self")


def _facts(facts: dict[str, Any]) -> str:
    if not facts:
        return ""
    return _table(("", ""), [(f"<code>{escape(name)}</code>", _cell(value)) for name, value in facts.items()])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "<br>".join(escape(part) for part in value)
    if isinstance(value, list | dict):
        return f"<code>{escape(orjson.dumps(value).decode())}</code>"
    return escape(str(value))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; the cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _page(title: str, trail: Sequence[tuple[str, str]], body: str) -> str:
    above = " / ".join(f'<a href="{escape(href)}">{escape(name)}</a>' for name, href in trail)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><nav>{above}</nav><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
