"""Styles of layers as QGIS keeps them (QML): which column colors a feature, and by which classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal
from xml.etree import ElementTree as Xml

from shared.layers import Layer

Color = tuple[int, int, int]
Marker = Literal["point", "line", "polygon"]

_NEUTRAL: Color = (186, 186, 186)
_DIVERGING: tuple[Color, ...] = ((202, 0, 32), (244, 165, 130), (247, 247, 247), (146, 197, 222), (5, 113, 176))
"""ColorBrewer's RdBu of five classes: readable by people who see no red or green."""
_CATEGORIES: tuple[Color, ...] = ((228, 26, 28), (55, 126, 184), (152, 78, 163), (255, 127, 0), (153, 153, 153))
"""ColorBrewer's Set1, without its green and yellow."""
_FAR = 1e9


@dataclass(frozen=True)
class _Class:
    """A class of a column's values: from `lower` to `upper`, or one value."""

    label: str
    color: Color
    lower: float = -_FAR
    upper: float = _FAR
    value: str | None = None


@dataclass(frozen=True)
class _Style:
    column: str
    title: str
    classes: tuple[_Class, ...]


def _bands(edges: Sequence[float], unit: str) -> tuple[_Class, ...]:
    ends = (-_FAR, *edges, _FAR)
    labels = (
        f"below {edges[0]:g}{unit}",
        *(f"{low:g} to {high:g}{unit}" for low, high in pairwise(edges)),
        f"above {edges[-1]:g}{unit}",
    )
    bands = zip(labels, _DIVERGING, ends, ends[1:], strict=False)
    return tuple(_Class(label, color, low, high) for label, color, low, high in bands)


_RATIO_EDGES = (0.8, 0.9, 1.1, 1.2)
"""0.90 to 1.10 is the range of the median that the IAAO's Standard on Ratio Studies accepts; the outer ones are a
choice of the same width."""
_CHANGE_EDGES = (-10, -2, 2, 10)
"""Choices, in percent: what a taxpayer would call no change, and what he would ask about."""


def style_xml(layer: Layer, marker: Marker) -> str:
    """A layer's style: sales by ratio, values by change, districts by kind, everything else in one color."""
    style = _STYLES.get(layer.name)
    root = Xml.Element("qgis", version="3.28", styleCategories="Symbology")
    if style is None:
        renderer = Xml.SubElement(root, "renderer-v2", type="singleSymbol", symbollevels="0", enableorderby="0")
        _add_symbols(renderer, [_NEUTRAL], marker)
    elif style.classes[0].value is None:
        renderer = Xml.SubElement(
            root, "renderer-v2", type="graduatedSymbol", attr=style.column, graduatedMethod="GraduatedColor"
        )
        ranges = Xml.SubElement(renderer, "ranges")
        for number, band in enumerate(style.classes):
            lower, upper = str(band.lower), str(band.upper)
            Xml.SubElement(
                ranges, "range", lower=lower, upper=upper, symbol=str(number), label=band.label, render="true"
            )
        _add_symbols(renderer, [band.color for band in style.classes], marker)
    else:
        renderer = Xml.SubElement(root, "renderer-v2", type="categorizedSymbol", attr=style.column)
        categories = Xml.SubElement(renderer, "categories")
        for number, one in enumerate(style.classes):
            value = one.value or ""
            Xml.SubElement(
                categories, "category", value=value, type="string", symbol=str(number), label=one.label, render="true"
            )
        _add_symbols(renderer, [one.color for one in style.classes], marker)
    return Xml.tostring(root, encoding="unicode")


def style_title(layer: Layer) -> str:
    """The name of a layer's style."""
    style = _STYLES.get(layer.name)
    return layer.title if style is None else style.title


_STYLES = {
    "sales": _Style("ratio", "Sales by ratio", _bands(_RATIO_EDGES, "")),
    "values": _Style("change_percent", "Values by change", _bands(_CHANGE_EDGES, " %")),
    "districts": _Style(
        "kind",
        "Districts by kind",
        tuple(
            _Class(label, color, value=value)
            for (value, label), color in zip(
                (("fire", "Fire"), ("school", "School"), ("voting", "Voting"), ("tax", "Tax"), ("other", "Other")),
                _CATEGORIES,
                strict=True,
            )
        ),
    ),
}

_SYMBOLS = {
    "point": ("marker", "SimpleMarker", {"name": "circle", "size": "2", "outline_color": "80,80,80,255"}),
    "line": ("line", "SimpleLine", {"line_width": "0.5"}),
    "polygon": ("fill", "SimpleFill", {"outline_color": "80,80,80,255", "outline_width": "0.1", "style": "solid"}),
}


def _add_symbols(renderer: Xml.Element, colors: Sequence[Color], marker: Marker) -> None:
    symbols = Xml.SubElement(renderer, "symbols")
    kind, layer_class, options = _SYMBOLS[marker]
    for number, color in enumerate(colors):
        symbol = Xml.SubElement(symbols, "symbol", type=kind, name=str(number), alpha="1", clip_to_extent="1")
        layer = Xml.SubElement(symbol, "layer", {"class": layer_class, "enabled": "1", "pass": "0", "locked": "0"})
        painted = {"line_color" if marker == "line" else "color": ",".join(map(str, (*color, 255)))}
        listed = Xml.SubElement(layer, "Option", type="Map")
        for name, value in {**painted, **options}.items():
            Xml.SubElement(listed, "Option", name=name, value=value, type="QString")
