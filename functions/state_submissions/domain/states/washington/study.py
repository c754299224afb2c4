"""The county generated sales study: each sale of the period placed, refused or reported, and the totals by stratum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from functions.state_submissions.domain.records import ParcelRecord, SaleRecord, Submission, Table
from functions.state_submissions.domain.states.washington import rules
from functions.state_submissions.domain.states.washington.forms import (
    InvalidSale,
    StratumAbstract,
    StratumSummary,
    TracedSale,
    ValidSale,
)
from functions.state_submissions.schemas import RefusedSale, StratumFigures
from shared.counties.submission_settings import WashingtonSettings

_PERCENT_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class _PlacedSale:
    """A sale with all that its report asks for; `reason` is the number of an invalid one's."""

    sale: SaleRecord
    affidavit: str
    instrument: str
    parcel: str
    land_use: str
    stratum: str | None
    reason: int | None
    comment: str

    @property
    def adjusted(self) -> Decimal:
        return rules.adjusted_price(self.sale.sale_price)

    @property
    def assessed(self) -> Decimal:
        return self.sale.assessed_value or Decimal(0)


@dataclass
class _Abstract:
    """Parcels and values of a stratum."""

    parcels: int = 0
    value: Decimal = Decimal(0)
    previous: Decimal = Decimal(0)


@dataclass
class _Roll:
    """The roll by stratum, and the number of parcels that no stratum or several have."""

    strata: dict[str, _Abstract] = field(default_factory=dict)
    outside: int = 0


class Washington:
    """The state's form."""

    title = "Washington, chapter 458-53 WAC"

    def period(self, assessment_year: int) -> tuple[date, date]:
        """See `rules.sale_period`."""
        return rules.sale_period(assessment_year)

    def submission(
        self,
        settings: WashingtonSettings,
        assessment_year: int,
        sales: Iterable[SaleRecord],
        parcels: Iterable[ParcelRecord],
    ) -> Submission:
        """The reports of WAC 458-53-100 and the abstract of WAC 458-53-030."""
        placed, refused = list[_PlacedSale](), list[RefusedSale]()
        for sale in sales:
            result = _place(settings, sale)
            if isinstance(result, RefusedSale):
                refused.append(result)
            else:
                placed.append(result)
        valid, invalid, kept = _without_outliers(placed)
        roll = _abstract(settings, parcels)
        return _submission(settings, assessment_year, valid, invalid, refused, roll, kept=kept)


def _place(settings: WashingtonSettings, sale: SaleRecord) -> _PlacedSale | RefusedSale:
    """A sale with what its report asks for, or what it lacks of that."""
    affidavit = _text(sale.sale_attributes, settings.affidavit_attribute, sale.instrument_number)
    land_use = _text(sale.property_attributes, settings.land_use_attribute, sale.property_class)
    lacking = _lacking({"excise tax affidavit number": affidavit, "instrument": sale.deed_type,
                        "parcel number": sale.parcel_number})  # fmt: skip
    reason, comment, problem = _reason(settings, sale)
    strata = list[str]()
    if reason is None and problem is None:
        values = {"land use code": land_use, "assessed value": sale.assessed_value,
                  "previous year's assessed value": sale.previous_assessed_value}  # fmt: skip
        lacking += _lacking(values)
        if sale.sale_price <= 0:
            lacking.append("it has no price")
        if land_use and sale.assessed_value is not None:
            strata = rules.strata_of(settings.strata, land_use, sale.assessed_value)
            lacking += _misplaced(strata, land_use, sale.assessed_value)
    reasons = lacking + ([problem] if problem else [])
    if reasons:
        return RefusedSale(
            sale_id=sale.sale_id, property_id=sale.property_id, sale_date=sale.sale_date, reasons=reasons
        )
    return _PlacedSale(
        sale,
        affidavit or "",
        sale.deed_type or "",
        sale.parcel_number or "",
        land_use or "",
        strata[0] if strata else None,
        reason,
        comment,
    )


def _reason(settings: WashingtonSettings, sale: SaleRecord) -> tuple[int | None, str, str | None]:
    """The number of the reason for which a sale is invalid, a comment, and what is wrong where there is no number.

    Sales by other instruments than warranty deeds and contracts are not considered (WAC 458-53-080(1) and (2)).
    """
    if sale.validity != "valid":
        coded = _text(sale.sale_attributes, settings.reason_attribute, None)
        if coded is not None and coded.isdecimal() and 1 <= int(coded) <= 99:
            return int(coded), sale.validity, None
        number = settings.reasons.get(sale.validity)
        if number is None:
            return None, "", f"it is {sale.validity}, for which the settings have no number of a reason"
        return number, sale.validity, None
    if not sale.deed_type or sale.deed_type in settings.instruments:
        return None, "", None
    number = settings.instrument_reasons.get(sale.deed_type)
    if number is None:
        return None, "", f"its instrument {sale.deed_type} is neither considered nor has a number of a reason"
    return number, f"instrument {sale.deed_type}", None


def _lacking(values: Mapping[str, object]) -> list[str]:
    return [f"it has no {name}" for name, value in values.items() if value in (None, "")]


def _misplaced(strata: Sequence[str], land_use: str, value: Decimal) -> list[str]:
    if len(strata) == 1:
        return []
    place = f"land use {land_use} and value {value:,.2f}"
    return [f"it is in no stratum: {place}" if not strata else f"it is in {' and in '.join(strata)}: {place}"]


def _without_outliers(placed: list[_PlacedSale]) -> tuple[list[_PlacedSale], list[_PlacedSale], bool]:
    """Valid and invalid sales, once ratios outside the limits are excluded, or kept because they are many."""
    valid = [sale for sale in placed if sale.reason is None]
    invalid = [sale for sale in placed if sale.reason is not None]
    outliers = [sale for sale in valid if rules.is_outlier(sale.assessed, sale.adjusted)]
    if rules.outliers_are_considered(len(outliers), len(valid)):
        return valid, invalid, True
    excluded = {sale.sale.sale_id for sale in outliers}
    invalid += [
        _PlacedSale(**{**vars(sale), "reason": rules.OUTLIER_REASON, "comment": f"ratio {_ratio(sale):.2f} percent"})
        for sale in outliers
    ]
    return [sale for sale in valid if sale.sale.sale_id not in excluded], invalid, False


def _abstract(settings: WashingtonSettings, parcels: Iterable[ParcelRecord]) -> _Roll:
    """Parcels and values by stratum; those of excluded land uses are not on it (WAC 458-53-030(2))."""
    roll = _Roll({stratum.name: _Abstract() for stratum in settings.strata})
    for parcel in parcels:
        land_use = _text(parcel.attributes, settings.land_use_attribute, parcel.property_class)
        if land_use in settings.excluded_land_uses:
            continue
        strata = rules.strata_of(settings.strata, land_use, parcel.assessed_value)
        if len(strata) != 1:
            roll.outside += 1
            continue
        own = roll.strata[strata[0]]
        own.parcels += 1
        own.value += parcel.assessed_value
        own.previous += parcel.previous_assessed_value or 0
    return roll


def _submission(
    settings: WashingtonSettings,
    assessment_year: int,
    valid: list[_PlacedSale],
    invalid: list[_PlacedSale],
    refused: list[RefusedSale],
    roll: _Roll,
    *,
    kept: bool,
) -> Submission:
    by_stratum = {stratum.name: [sale for sale in valid if sale.stratum == stratum.name] for stratum in settings.strata}
    summaries = [_summary(name, sales) for name, sales in by_stratum.items()]
    samples = [
        rules.StratumSample(
            summary.average_assessed_value, summary.average_adjusted_sale_price, roll.strata[summary.stratum].value
        )
        for summary in summaries
    ]
    strata = [_figures(summary, by_stratum[summary.stratum]) for summary in summaries]
    first, last = rules.sale_period(assessment_year)
    traced = [_traced(sale, "valid") for sale in valid] + [_traced(sale, "invalid") for sale in invalid]
    abstract = [
        StratumAbstract(
            stratum=name,
            number_of_parcels=own.parcels,
            assessed_value=own.value,
            previous_assessed_value=own.previous,
        )
        for name, own in roll.strata.items()
    ]
    return Submission(
        sales=len(valid) + len(invalid) + len(refused),
        valid=len(valid),
        invalid=len(invalid),
        outliers_kept=kept,
        indicated_ratio=rules.indicated_ratio(samples),
        strata=strata,
        parcels_outside_strata=roll.outside,
        refused=refused,
        tables=[
            Table("valid_sales", ValidSale, [_valid_row(sale) for sale in valid]),
            Table("invalid_sales", InvalidSale, [_invalid_row(sale) for sale in invalid]),
            Table("summary", StratumSummary, summaries),
            Table("abstract", StratumAbstract, abstract),
            Table("trace", TracedSale, traced),
        ],
        statement=(
            f"The reports in this package are the sales data of assessment year {assessment_year} that WAC 458-53-100"
            f" asks for: all sales from {first:%B} {first.day}, {first.year} to {last:%B} {last.day}, {last.year}, of"
            " which the county has affidavits, valid ones and invalid ones with the number of their reason."
        ),
        facts=[
            ("Valid sales", f"{len(valid):,}"),
            ("Invalid sales", f"{len(invalid):,}"),
            ("Parcels in strata", f"{sum(own.parcels for own in roll.strata.values()):,}"),
            ("Parcels outside", f"{roll.outside:,}"),
        ],
        figures_heading=["Stratum", "Sales", "Assessed value", "Adjusted price", "Ratio, %"],
        figures=[
            [
                own.stratum,
                f"{own.sales:,}",
                f"{own.assessed_value:,.2f}",
                f"{own.adjusted_price:,.2f}",
                "–" if own.ratio is None else f"{own.ratio:.1f}",
            ]
            for own in strata
        ],
    )


def _summary(name: str, sales: list[_PlacedSale]) -> StratumSummary:
    assessed, adjusted = sum(sale.assessed for sale in sales), sum(sale.adjusted for sale in sales)
    average = None if not sales else (Decimal(assessed) / len(sales)).quantize(rules.CENT, ROUND_HALF_UP)
    average_price = None if not sales else (Decimal(adjusted) / len(sales)).quantize(rules.CENT, ROUND_HALF_UP)
    ratio = rules.stratum_ratio(rules.StratumSample(average, average_price, Decimal(0)))
    return StratumSummary(
        stratum=name,
        number_of_sales=len(sales),
        assessed_value=Decimal(assessed),
        adjusted_sale_price=Decimal(adjusted),
        average_assessed_value=average,
        average_adjusted_sale_price=average_price,
        ratio=None if ratio is None else 100 * ratio,
    )


def _figures(summary: StratumSummary, sales: list[_PlacedSale]) -> StratumFigures:
    return StratumFigures(
        stratum=summary.stratum,
        sales=summary.number_of_sales,
        assessed_value=summary.assessed_value,
        adjusted_price=summary.adjusted_sale_price,
        ratio=summary.ratio,
        sale_ids=[sale.sale.sale_id for sale in sales],
    )


def _ratio(sale: _PlacedSale) -> Decimal:
    return (100 * sale.assessed / sale.adjusted).quantize(_PERCENT_PLACES, ROUND_HALF_UP)


def _valid_row(sale: _PlacedSale) -> ValidSale:
    return ValidSale(
        excise_tax_affidavit_number=sale.affidavit,
        transfer_instrument=sale.instrument,
        parcel_number=sale.parcel,
        sale_date=sale.sale.sale_date,
        sale_price=sale.sale.sale_price,
        sale_price_less_one_percent=sale.adjusted,
        land_use_code=sale.land_use,
        assessed_value=sale.assessed,
        previous_assessed_value=sale.sale.previous_assessed_value or Decimal(0),
        ratio=_ratio(sale),
    )


def _invalid_row(sale: _PlacedSale) -> InvalidSale:
    return InvalidSale(
        excise_tax_affidavit_number=sale.affidavit,
        transfer_instrument=sale.instrument,
        parcel_number=sale.parcel,
        sale_date=sale.sale.sale_date,
        sale_price=sale.sale.sale_price,
        reason_number=sale.reason or 0,
        comment=sale.comment,
    )


def _traced(sale: _PlacedSale, report: str) -> TracedSale:
    return TracedSale(
        sale_id=sale.sale.sale_id,
        property_id=sale.sale.property_id,
        excise_tax_affidavit_number=sale.affidavit,
        report=report,
        stratum=sale.stratum if report == "valid" else None,
        reason_number=sale.reason,
    )


def _text(attributes: Mapping[str, Any], name: str | None, otherwise: str | None) -> str | None:
    """An attribute as text, or what stands in where the settings name none."""
    value = attributes.get(name) if name is not None else otherwise
    text = "" if value is None else str(value).strip()
    return text or None
