"""Links, and addresses below a county's landing page."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
SCHEMA_JSON = "application/schema+json"
OPENAPI_JSON = "application/vnd.oai.openapi+json;version=3.0"
MVT = "application/vnd.mapbox-vector-tile"


@dataclass(frozen=True)
class Link:
    """A link of a document or of the header Link (RFC 8288)."""

    href: str
    rel: str
    media_type: str
    title: str = ""
    templated: bool = False

    def as_json(self) -> dict[str, object]:
        """The link as OGC API's documents have it."""
        document: dict[str, object] = {"href": self.href, "rel": self.rel, "type": self.media_type}
        if self.title:
            document["title"] = self.title
        if self.templated:
            document["templated"] = True
        return document

    def as_header(self) -> str:
        """The link as a value of the header Link."""
        return f'<{self.href}>; rel="{self.rel}"; type="{self.media_type}"'


@dataclass(frozen=True)
class Address:
    """The address of a county's landing page."""

    landing_page: str

    def of(self, *segments: str, **query: str) -> str:
        """An address below the landing page."""
        path = "".join(f"/{quote(segment, safe='')}" for segment in segments)
        return f"{self.landing_page}{path}{_query(query)}"


def _query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""
