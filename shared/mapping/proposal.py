"""A proposed mapping from a source's columns and a sample of its values; each guess has its reason as a comment."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.exact import FIRST_YEAR, LAST_YEAR
from shared.mapping.language.literals import FALSE_WORDS, TRUE_WORDS
from shared.mapping.targets import ColumnKind, TargetColumn, TargetTable, target_tables

_SYNONYMS: dict[str, str] = {
    "property_id": (
        "propertyid propid parid parcelid parcel pin apn parcelno parcelnumber parno accountnumber account pid"
    ),
    "parcel_number": "parcelnumber parcelno parcel apn pin parid parno geoid parcelid taxid mapparcel",
    "situs_address": (
        "situsaddress situs address propertyaddress siteaddress siteaddr propaddress location fulladdress"
    ),
    "situs_number": "situsnumber housenumber houseno streetnumber stnumber addressnumber adrno stno",
    "situs_prefix": "situsprefix predirection predir streetprefix adrdir",
    "situs_street": "situsstreet streetname street adrstr stname",
    "situs_suffix": "situssuffix streetsuffix streettype adrsuf",
    "situs_unit": "situsunit unit apartment apt unitno",
    "situs_city": "situscity city propertycity sitecity cityname municipality",
    "situs_state": "situsstate state propertystate",
    "situs_zip": "situszip zip zipcode postalcode zip5 sitezip zip1",
    "legal_description": "legaldescription legal legaldesc legal1",
    "property_type": "propertytype proptype",
    "property_class": "propertyclass class propclass useclass landuse usecode propertyuse luc landusecode use",
    "neighborhood": "neighborhood nbhd nbhdcode neighborhoodcode hood marketarea nbrhood",
    "longitude": "longitude lon lng long xcoord x shapelongitude",
    "latitude": "latitude lat ycoord y shapelatitude",
    "geometry": "shapewkb",
    "land_area_sqft": "landareasqft landarea lotsize lotarea sqftlot landsqft lotsqft lotsizesqft",
    "living_area_sqft": (
        "livingareasqft livingarea sqftliving sfla tla grlivarea squarefeet sqft heatedarea finishedarea bldgsqft"
    ),
    "year_built": "yearbuilt yrblt yrbuilt built actualyearbuilt ayb yearblt",
    "effective_year": "effectiveyear effyear effectiveyearbuilt eyb effyr",
    "bedrooms": "bedrooms beds bedroom bed rmbed br numbedrooms bedroomabvgr",
    "bathrooms": "bathrooms baths bath numbathrooms totalbaths",
    "stories": "stories floors numstories story storyheight",
    "condition": "condition cond conditioncode cdu overallcond",
    "quality": "quality grade qualitygrade overallqual constructiongrade",
    "land_value": "landvalue landval valueland apprland assessedland land",
    "improvement_value": "improvementvalue impvalue impval bldgvalue buildingvalue imprvalue valuebldg improvements",
    "total_value": "totalvalue totalval marketvalue appraisedvalue totalappraised value apprtotal avalue",
    "assessed_value": "assessedvalue assessed taxablevalue totalassessed",
    "last_sale_date": "lastsaledate",
    "last_sale_price": "lastsaleprice",
    "tax_district": "taxdistrict taxdist taxcode levycode taxcodearea tca",
    "sale_id": "saleid saleskey salekey transactionid exciseid recordingnumber documentnumber docnumber deed",
    "sale_date": "saledate date datesold soldon transactiondate deeddate recordingdate saledt sdate sold",
    "sale_price": "saleprice price salesprice amount salesamount consideration soldprice",
    "validity_code": "validitycode validity valid qualified salequal qualification mktvalid salecode",
    "sale_type": "saletype transactiontype",
    "deed_type": "deedtype deed instrumenttype instrument",
    "instrument_number": "instrumentnumber instrumentno deedbook bookpage documentno",
    "parcel_count": "parcelcount numparcels",
    "seller": "seller grantor sellername",
    "buyer": "buyer grantee buyername",
    "improvement_id": "improvementid bldgid buildingid impid cardid",
    "improvement_type": "improvementtype imptype buildingtype bldgtype structuretype",
    "description": "description descr",
    "area_sqft": "areasqft area bldgarea",
    "owner_id": "ownerid",
    "name": "name owner ownername owner1",
    "ownership_share": "ownershipshare share percentowned ownership",
    "mailing_address": "mailingaddress mailaddress mailaddr owneraddress",
    "mailing_city": "mailingcity mailcity ownercity",
    "mailing_state": "mailingstate mailstate ownerstate",
    "mailing_zip": "mailingzip mailzip ownerzip",
    "confidential": "confidential confidentialflag conf isconfidential protected suppressname",
    "assessment_id": "assessmentid",
    "roll_year": "rollyear taxyear taxyr year assessmentyear",
    "exemption_id": "exemptionid",
    "exemption_type": "exemptiontype exemption exemptioncode",
    "amount": "amount exemptionamount",
}
"""Names of a column in counties' systems, without case and separators; the likeliest first."""
TABLE_WORDS = {
    "properties_operational": "parcel property properties real account assr",
    "sales": "sale sales transfer deed transaction excise",
    "improvements": "improvement building bldg dwelling structure",
    "owners": "owner",
    "assessments": "assessment value valuation appraisal roll",
    "exemptions": "exemption",
}
_DATES = (
    *("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d", "%m-%d-%Y", "%d.%m.%Y", "%m/%d/%y"),
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%m/%d/%Y %H:%M"),
)
_INTEGER, _NUMBER = re.compile(r"-?\d+(\.0*)?"), re.compile(r"-?\d*\.?\d+([eE][+-]?\d+)?")
_WRITTEN_NUMBER = re.compile(r"\(?-?\$?\s?\d[\d,]*(\.\d+)?\)?")
_BOUNDS = {"longitude": 180.0, "latitude": 90.0}
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_MISSING_VALIDITY = "unknown"
_EXAMPLES = 3


@dataclass(frozen=True)
class SampledColumn:
    """A source column with some of its values as texts; blank ones are None."""

    name: str
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class SampledTable:
    """A source table with a sample of its rows; `key` is what the source itself says tells rows apart."""

    name: str
    columns: tuple[SampledColumn, ...]
    key: tuple[str, ...] = ()
    key_reason: str = "the source's own key"


@dataclass(frozen=True)
class Guess:
    """A source column that is likely to fill a target column, with the field's `type` and `transformations` in YAML."""

    source: str
    column: TargetColumn
    type: str
    transformations: str
    reason: str
    rank: int
    """Position of the name among the synonyms: the lower, the likelier."""


def propose(tables: Sequence[SampledTable], county_id: str, system: str, head: Sequence[str] = ()) -> str:
    """The mapping as YAML. Raises ValueError where no table looks like one of ours."""
    assigned, rejected = _assigned(tables)
    if not assigned:
        raise ValueError("; ".join(rejected) or "there is no table")
    lines = [
        *(f"# {line}" for line in head),
        "# A first mapping, guessed from names and values. Look at each line, then try it: terrafusion mapping check",
        *(f"# left out: {reason}" for reason in rejected),
        f"source_system_type: {system}",
        'target_schema_version: "1.1"',
        f"county_id_default: {county_id}",
        "table_mappings:",
    ]
    for table, target, guesses in assigned:
        lines += _table_lines(table, target, guesses)
    return "\n".join(lines) + "\n"


def _assigned(tables: Sequence[SampledTable]) -> tuple[list[tuple[SampledTable, TargetTable, list[Guess]]], list[str]]:
    """Each source table with the target that it fits best, every target once; and the reasons for the others."""
    candidates = []
    rejected = []
    for table in tables:
        fits = []
        reasons = []
        for target in target_tables().values():
            guesses = guesses_for(table, target)
            missing = _missing(table, target, guesses)
            if missing:
                reasons.append(f"{target.name} needs {', '.join(missing)}")
                continue
            named = any(word in plain_name(table.name) for word in TABLE_WORDS[target.name].split())
            fits.append((len(guesses) + 4 * named, target, guesses))
        if not fits:
            rejected.append(f"{table.name}: {'; '.join(reasons)}")
        candidates += [(score, table, target, guesses) for score, target, guesses in fits]
    assigned: dict[str, tuple[SampledTable, TargetTable, list[Guess]]] = {}
    taken: set[str] = set()
    for _, table, target, guesses in sorted(candidates, key=lambda each: -each[0]):
        if table.name not in taken and target.name not in assigned:
            assigned[target.name] = (table, target, guesses)
            taken.add(table.name)
    if "sales" not in assigned and "properties_operational" in assigned:
        table, target, _ = assigned["properties_operational"]
        if beside := _sales_beside(table, likely_key(table, target)):
            assigned["sales"] = beside
    rejected += [f"{table.name}: another table fits better" for _, table, *_ in candidates if table.name not in taken]
    return [assigned[name] for name in target_tables() if name in assigned], list(dict.fromkeys(rejected))


def _sales_beside(table: SampledTable, parcel: tuple[str, ...]) -> tuple[SampledTable, TargetTable, list[Guess]] | None:
    """The sales of a file in which each parcel's line has its sale, as public sales files do."""
    target = target_tables()["sales"]
    guesses = [guess for guess in guesses_for(table, target) if guess.column.name != "property_id"]
    sold = next((guess.source for guess in guesses if guess.column.name == "sale_date"), None)
    if sold is None or len(parcel) != 1 or all(guess.column.name != "sale_price" for guess in guesses):
        return None
    reason = "the parcel's own key"
    guesses.append(Guess(parcel[0], target.columns["property_id"], "string", "{type: strip_whitespace}", reason, 0))
    return replace(table, key=(*parcel, sold), key_reason="a parcel is sold once a day"), target, guesses


def guesses_for(table: SampledTable, target: TargetTable) -> list[Guess]:
    """The likely fields of a target but for its key."""
    guesses: dict[str, Guess] = {}
    for column in target.columns.values():
        if column.kind is ColumnKind.JSON or column.name == target.key:
            continue
        names = [plain_name(column.name), *_SYNONYMS.get(column.name, "").split()]
        for source in table.columns:
            if plain_name(source.name) in names and (
                guess := _guess(source, column, names.index(plain_name(source.name)))
            ):
                best = guesses.get(column.name)
                if best is None or guess.rank < best.rank:
                    guesses[column.name] = guess
    return list(guesses.values())


def _guess(source: SampledColumn, column: TargetColumn, rank: int) -> Guess | None:
    """The field for a column, where the values bear the name out."""
    values = [value.strip() for value in source.values if value is not None and value.strip()]
    reason = "its name is the same" if rank == 0 else f"{source.name} is what many systems call it"
    examples = ", ".join(list(dict.fromkeys(values))[:_EXAMPLES])
    shown = f"; such as {examples}" if values and column.kind is not ColumnKind.GEOMETRY else ""
    match column.kind:
        case ColumnKind.TEXT:
            return Guess(source.name, column, "string", "{type: strip_whitespace}", reason + shown, rank)
        case ColumnKind.GEOMETRY:
            return Guess(source.name, column, "geometry", "", reason, rank)
        case ColumnKind.DATE | ColumnKind.TIMESTAMP:
            written = next((form for form in _DATES if values and all(_is_date(value, form) for value in values)), None)
            if written is None:
                return None
            step = "" if written == "%Y-%m-%d" else f'{{type: parse_date, format: "{written}"}}'
            return Guess(source.name, column, "date", step, f"{reason}; every value is a date{shown}", rank)
        case ColumnKind.BOOLEAN:
            is_flag = values and {value.lower() for value in values} <= {*TRUE_WORDS, *FALSE_WORDS}
            why = f"{reason}; every value is yes or no{shown}"
            return Guess(source.name, column, "boolean", "", why, rank) if is_flag else None
    whole = column.kind is ColumnKind.INTEGER
    if not values or not all(_WRITTEN_NUMBER.fullmatch(value) or _NUMBER.fullmatch(value) for value in values):
        return None
    bound = _BOUNDS.get(column.name)
    if bound is not None and not all(_NUMBER.fullmatch(value) and abs(float(value)) <= bound for value in values):
        return None  # metres or feet of a projection
    plain = all((_INTEGER if whole else _NUMBER).fullmatch(value) for value in values)
    if whole and not plain:
        return None
    steps = [] if plain else ["{type: parse_number}"]
    if whole and "0" in values:
        steps.append('{type: null_if, values: ["0"]}')
    kind = {ColumnKind.INTEGER: "integer", ColumnKind.FLOAT: "float"}.get(column.kind, "decimal")
    return Guess(source.name, column, kind, ", ".join(steps), f"{reason}; every value is a number{shown}", rank)


def _missing(table: SampledTable, target: TargetTable, guesses: list[Guess]) -> list[str]:
    filled = {guess.column.name for guess in guesses} | {target.key, "validity_code"}
    missing = [name for name, column in target.columns.items() if column.required and name not in filled]
    return missing if likely_key(table, target) else [target.key, *missing]


def likely_key(table: SampledTable, target: TargetTable) -> tuple[str, ...]:
    """The key of a source table: its own, or a column with a likely name and unique values."""
    if table.key:
        return table.key
    names = [plain_name(target.key), *_SYNONYMS.get(target.key, "").split()]
    unique = [column.name for column in table.columns if _is_unique(column)]
    likely = sorted((names.index(plain_name(name)), name) for name in unique if plain_name(name) in names)
    if likely:
        return (likely[0][1],)
    others = [name for name in unique if plain_name(name).endswith(("id", "key", "number", "no"))]
    return (others[0],) if others else ()


def _table_lines(table: SampledTable, target: TargetTable, guesses: list[Guess]) -> list[str]:
    key = likely_key(table, target)
    why = table.key_reason if table.key else f"{key[0]} comes only once in {len(table.columns[0].values):,} rows"
    by_target = {guess.column.name: guess for guess in guesses}
    joined = "{type: strip_whitespace}" + (', {type: concat, separator: "-"}' if len(key) > 1 else "")
    named = f"source: [{', '.join(map(quoted_name, key))}], target: {target.key}"
    lines = [
        f"  - source_table_name: {quoted_name(table.name)}",
        f"    target_table_name: {target.name}",
        f"    primary_key_source_fields: [{', '.join(map(quoted_name, key))}]  # {why}",
        f"    primary_key_target_fields: [{target.key}]",
    ]
    used = {guess.source for guess in guesses} | set(key)
    rest = [column.name for column in table.columns if column.name not in used]
    if "attributes" in target.columns:
        lines.append(
            "    attributes: {unmapped: keep}  # what no field names: " + (one_line(", ".join(rest)) or "nothing")
        )
    lines += [
        "    field_map:",
        f"      # {why}",
        f"      - {{{named}, type: string, required: true, transformations: [{joined}]}}",
        "      - {target: county_id, type: string, default_from_config: county_id_default}",
    ]
    for name, column in target.columns.items():
        if guess := by_target.get(name):
            steps = f", transformations: [{guess.transformations}]" if guess.transformations else ""
            required = ", required: true" if column.required else ""
            lines.append(f"      # {one_line(guess.reason)}")
            lines.append(
                f"      - {{source: {quoted_name(guess.source)}, target: {name}, type: {guess.type}{required}{steps}}}"
            )
        elif name == "validity_code":
            lines.append("      # no column says whether a sale is valid: none is evidence until one of yours does")
            constant = f"{{type: constant, value: {_MISSING_VALIDITY}}}"
            lines.append(f"      - {{target: {name}, type: string, transformations: [{constant}]}}")
    return lines


def _is_unique(column: SampledColumn) -> bool:
    return None not in column.values and len(set(column.values)) == len(column.values) > 0


def _is_date(value: str, form: str) -> bool:
    try:
        day = datetime.strptime(value, form)  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return False
    return FIRST_YEAR <= day.year <= LAST_YEAR


def plain_name(name: str) -> str:
    """A name without case and separators."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def quoted_name(name: str) -> str:
    """A name as YAML takes it."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) and name.lower() not in _YAML_WORDS:
        return name
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_line(text: str) -> str:
    """A text as a comment of one line."""
    return " ".join(text.split())[:200]
