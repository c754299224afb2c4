"""The evidence packet of an appeal: the chosen elements of one property's case, with contents and page numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal, get_args
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Connection

from functions.reporting.domain.contents import (
    Column,
    Contents,
    DataTable,
    Drawing,
    Kind,
    Prose,
    Section,
    Statement,
    Statements,
)
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.property_record import PropertyRecord
from functions.reporting.render.sections.ratio_study import stratum_statistics, study_facts
from functions.reporting.render.sections.record_card import card_facts, card_sections, history_section
from functions.reporting.render.sections.valuation import (
    comparables_map,
    comparables_sections,
    contributions_section,
    estimate_section,
)
from functions.reporting.reports.finished_study import FinishedStudy, read_study, require_succeeded
from functions.reporting.reports.property_record_card import PropertyId, read_map, read_record, require_property
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import properties, valuations
from shared.contracts.ratio_study import StratumResult
from shared.contracts.valuation import ValuationResponse
from shared.db import unit_of_work
from shared.problems import Unprocessable
from shared.schemas import RequestSchema
from shared.typesetting import display

PacketElement = Literal["record_card", "comparables", "contributions", "history", "ratio_study"]
_OF_A_VALUE = frozenset({"comparables", "contributions"})


def _require_distinct(elements: tuple[PacketElement, ...]) -> tuple[PacketElement, ...]:
    if len(set(elements)) != len(elements):
        raise ValueError("name each element once")
    return elements


class EvidencePacketParameters(RequestSchema):
    """The case of one property.

    `elements` are what the packet holds, in their order. `valuation_id` is the value that comparables and contributions
    explain, by default the property's newest; `ratio_study_id` the study of the property's neighborhood, by default the
    county's newest that has neighborhoods. `reference` (a case number) and `hearing_date` are shown as they are.
    """

    property_id: PropertyId
    elements: Annotated[
        tuple[PacketElement, ...],
        Field(min_length=1),
        AfterValidator(_require_distinct),
    ] = get_args(PacketElement)
    valuation_id: UUID | None = None
    ratio_study_id: UUID | None = None
    reference: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] | None = None
    hearing_date: date | None = None


@dataclass(frozen=True)
class Evidence:
    """The records of a packet; the value and the study where its elements need them."""

    record: PropertyRecord
    parcel_map: Drawing | None
    value: ValuationResponse | None
    value_map: Drawing | None
    study: FinishedStudy | None

    @property
    def stratum(self) -> StratumResult | None:
        """The study of the property's neighborhood; None where the study has none."""
        strata = () if self.study is None else self.study.results.strata
        neighborhood = self.record.identity.neighborhood
        return next((s for s in strata if (s.stratum, s.value) == ("neighborhood", neighborhood)), None)


class EvidencePacket(ReportType[EvidencePacketParameters]):
    """The report of an appeal's evidence."""

    title = "Evidence Packet"
    parameters = EvidencePacketParameters

    def check(self, county_id: str, parameters: EvidencePacketParameters) -> None:
        """Require the property, and the value and the study that the elements need."""
        with unit_of_work(county_id) as connection:
            require_property(connection, county_id, parameters.property_id)
            _value(connection, county_id, parameters)
            study_id = _study_id(connection, county_id, parameters)
        if study_id is not None:
            require_succeeded(county_id, study_id)

    def build(self, heading: Heading, parameters: EvidencePacketParameters) -> Report:
        """Gather the evidence and lay it out."""
        county_id = heading.county_id
        with unit_of_work(county_id) as connection:
            record = read_record(connection, county_id, parameters.property_id)
            parcel_map = read_map(connection, county_id, parameters.property_id)
            value = _value(connection, county_id, parameters)
            value_map = None if value is None else _value_map(connection, county_id, value)
            study_id = _study_id(connection, county_id, parameters)
        study = None if study_id is None else read_study(county_id, study_id)
        return packet_report(parameters, Evidence(record, parcel_map, value, value_map, study))


REPORT_TYPE = EvidencePacket()


def packet_report(parameters: EvidencePacketParameters, evidence: Evidence) -> Report:
    """Lay out a packet; the table of data has the comparables."""
    comparables = () if evidence.value is None else evidence.value.comparables
    columns = [
        *(Column("sale_id"), Column("property_id"), Column("sale_date", Kind.DAY), Column("sale_price", Kind.DOLLARS)),
        *(Column("adjusted_price", Kind.DOLLARS), Column("weight", Kind.RATIO)),
    ]
    return Report(
        title=EvidencePacket.title,
        contents=Contents(
            facts=_facts(parameters, evidence.record),
            sections=[section for element in parameters.elements for section in _element(element, evidence)],
            sign_off=(),
            has_outline=True,
        ),
        document={
            "property": evidence.record.model_dump(mode="json"),
            "valuation": None if evidence.value is None else evidence.value.model_dump(mode="json"),
            "ratio_study": None if evidence.study is None else dict(evidence.study.document),
        },
        table=DataTable(
            columns, [[getattr(comparable, column.data_name) for column in columns] for comparable in comparables]
        ),
    )


def _facts(parameters: EvidencePacketParameters, record: PropertyRecord) -> list[tuple[str, str]]:
    hearing = parameters.hearing_date
    return [
        ("Reference", display.name(parameters.reference) if parameters.reference else display.MISSING),
        ("Hearing", display.day(hearing) if hearing else display.MISSING),
        *card_facts(record)[:-1],
    ]


def _element(element: PacketElement, evidence: Evidence) -> Iterator[Section]:
    """An element's heading, which begins a page, and its sections below it."""
    titles: dict[PacketElement, str] = {
        "record_card": "Property record card",
        "comparables": "Value by comparable sales",
        "contributions": "Contributions to the value",
        "history": "History of the record",
        "ratio_study": "Ratio study of the neighborhood",
    }
    sections = _sections(element, evidence)
    if len(sections) == 1:
        yield Section(titles[element], sections[0].blocks, begins_page=True)
        return
    yield Section(titles[element], begins_page=True)
    for section in sections:
        yield replace(section, level=2)


def _sections(element: PacketElement, evidence: Evidence) -> list[Section]:
    match element:
        case "record_card":
            return card_sections(evidence.record, evidence.parcel_map)
        case "history":
            return [history_section(evidence.record)]
        case "ratio_study" if evidence.study is not None:
            return _ratio_sections(evidence.study, evidence.stratum, evidence.record.identity.neighborhood)
        case "comparables" if evidence.value is not None:
            return [estimate_section(evidence.value), *comparables_sections(evidence.value, evidence.value_map)]
        case "contributions" if evidence.value is not None:
            section = contributions_section(evidence.value)
            return [Section("Contributions", [Prose(_NO_CONTRIBUTIONS)])] if section is None else [section]
        case _:
            return []


_NO_CONTRIBUTIONS = "The value is one whose method states no contributions of features."


def _ratio_sections(study: FinishedStudy, stratum: StratumResult | None, neighborhood: str | None) -> list[Section]:
    overall = study.results.overall
    facts = [f"{label}: {value}" for label, value in study_facts(study.results, study.finished_at.date())]
    sections = [Section("The study", [Statements([Statement(fact) for fact in facts])])]
    name = display.name(neighborhood)
    if stratum is None or stratum.study is None:
        reason = "" if stratum is None else f": {stratum.reason}"
        sections.append(Section(f"Neighborhood {name}", [Prose(f"The study has no statistics of it{reason}")]))
    else:
        sections.append(Section(f"Neighborhood {name}", stratum_statistics(stratum.study)))
    return [*sections, Section("The county", stratum_statistics(overall))]


def _value(connection: Connection, county_id: str, parameters: EvidencePacketParameters) -> ValuationResponse | None:
    """The value that the packet explains; None where no element needs one."""
    if not _OF_A_VALUE & set(parameters.elements):
        return None
    value = valuations.valuation(connection, county_id, parameters.property_id, parameters.valuation_id)
    if value is None:
        which = "no valuation" if parameters.valuation_id is None else f"no valuation {parameters.valuation_id}"
        raise Unprocessable(
            f"Property {parameters.property_id} has {which}: value it first (POST valuations), or choose elements"
            " without comparables and contributions.",
            pointer="/valuation_id",
            slug="valuation-not-found",
        )
    return value


def _study_id(connection: Connection, county_id: str, parameters: EvidencePacketParameters) -> UUID | None:
    """The study whose neighborhood the packet shows; None where no element needs one."""
    if "ratio_study" not in parameters.elements:
        return None
    study_id = parameters.ratio_study_id or valuations.newest_study(connection, county_id)
    if study_id is None:
        raise Unprocessable(
            f"{county_id} has no ratio study of the whole county with the stratum neighborhood: make one first, or"
            " choose elements without ratio_study.",
            pointer="/ratio_study_id",
            slug="ratio-study-not-found",
        )
    return study_id


def _value_map(connection: Connection, county_id: str, value: ValuationResponse) -> Drawing | None:
    parcel = properties.own_parcel(connection, county_id, value.property_id)
    if parcel is None:
        return None
    found = properties.parcels_of(connection, county_id, [each.property_id for each in value.comparables])
    return comparables_map(value, parcel, {other.property_id: other for other in found})
