"""Features as GeoJSON (RFC 7946), put together from texts that are JSON already."""

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from functions.features.domain.feature import Feature
from functions.features.render.links import Link


def feature_collection(features: Sequence[Feature], links: Sequence[Link], matched: int | None) -> str:
    """A page of features."""
    written = ",".join(
        f'{{"type":"Feature","id":{_json(feature.feature_id)},"geometry":{feature.geometry},'
        f'"properties":{feature.properties}}}'
        for feature in features
    )
    counted = "" if matched is None else f'"numberMatched":{matched},'
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return (
        f'{{"type":"FeatureCollection","timeStamp":"{now}",{counted}"numberReturned":{len(features)},'
        f'"links":{_links(links)},"features":[{written}]}}'
    )


def feature(single: Feature, links: Sequence[Link]) -> str:
    """A single feature."""
    return (
        f'{{"type":"Feature","id":{_json(single.feature_id)},"geometry":{single.geometry},'
        f'"properties":{single.properties},"links":{_links(links)}}}'
    )


def _links(links: Sequence[Link]) -> str:
    return orjson.dumps([link.as_json() for link in links]).decode()


def _json(text: str) -> str:
    return orjson.dumps(text).decode()
