"""Derived sections of the pages: tables that the code says once. `python -m infra.documentation` writes them."""

import importlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from infra.settings import ROOT
from infra.slos import SLOS
from shared.access import PLATFORM_PERMISSIONS, ROLE_PERMISSIONS, Permission
from shared.counties.configuration import (
    ColumnLimits,
    Contact,
    CountyConfiguration,
    DataIngestionSettings,
    FeaturesSettings,
    FileIngestionSettings,
    GisExportSettings,
    Guards,
    IncrementalSettings,
    MapExtent,
    PluginSettings,
    RbacSettings,
    RoleRefinement,
    SalesValidationSettings,
    ValuationSettings,
)
from shared.counties.exemption_settings import (
    AmountRule,
    ExemptionSettings,
    ExemptionTypeSettings,
    FreezeRule,
    ShareRule,
)
from shared.counties.notice_settings import AppealBoard, ClosedPeriod, NoticeSettings
from shared.counties.roll_settings import CountyCheck, RollSettings
from shared.counties.source_description import FORMATS, KINDS
from shared.counties.submission_settings import WashingtonSettings, WashingtonStratum
from shared.mapping.reference import (
    MAPPING_ELEMENTS,
    meaning,
    members_tables,
    parameters,
    targets_table,
    transformations_table,
    validations_table,
)


def roles() -> str:
    """Roles and what they may do."""
    rows = ["| role | permissions |", "|---|---|"]
    for role, permissions in ROLE_PERMISSIONS.items():
        named = sorted(permissions - {Permission.SIGN_IN})
        everything = permissions == set(Permission) - PLATFORM_PERMISSIONS
        shown = "every permission in the county" if everything else ", ".join(named)
        rows.append(f"| {role} | {shown} |")
    return "\n".join(rows)


def conformance() -> str:
    """The conformance classes of the OGC API, by standard."""
    standards: dict[str, list[str]] = {}
    for uri in importlib.import_module("functions.features.domain.conformance").CONFORMANCE_CLASSES:
        standard, _, name = uri.removeprefix("http://www.opengis.net/spec/").partition("/conf/")
        standards.setdefault(standard, []).append(f"`{name}`")
    return "\n".join(
        ("| standard | classes |", "|---|---|", *(f"| {s} | {', '.join(c)} |" for s, c in standards.items()))
    )


def transformations() -> str:
    """The mapping language's transformations."""
    return transformations_table()


def validations() -> str:
    """The rules that a county's mapping can set."""
    return validations_table()


def sources() -> str:
    """Table of the kinds of sources and of the file formats."""
    return "\n".join(
        ["| source | settings | what it is |", "|---|---|---|"]
        + [f"| `kind: {kind}` | {parameters(model, 'kind')} | {meaning(model)} |" for kind, model in KINDS.items()]
        + [
            f"| `format: {name}` | {parameters(model, 'format')} | {meaning(model)} |"
            for name, model in FORMATS.items()
        ]
    )


def mapping_members() -> str:
    """The members of a mapping's elements."""
    return members_tables(MAPPING_ELEMENTS)


def settings() -> str:
    """The settings of a county's configuration."""
    return members_tables(
        (
            CountyConfiguration,
            Contact,
            DataIngestionSettings,
            IncrementalSettings,
            Guards,
            ColumnLimits,
            RbacSettings,
            RoleRefinement,
            PluginSettings,
            ValuationSettings,
            FeaturesSettings,
            SalesValidationSettings,
            FileIngestionSettings,
            GisExportSettings,
            ExemptionSettings,
            ExemptionTypeSettings,
            AmountRule,
            ShareRule,
            FreezeRule,
            WashingtonSettings,
            WashingtonStratum,
            NoticeSettings,
            RollSettings,
            CountyCheck,
            ClosedPeriod,
            AppealBoard,
            MapExtent,
        )
    )


def mapping_targets() -> str:
    """The tables and columns that a mapping can fill."""
    return targets_table()


def objectives() -> str:
    """The service level objectives."""
    rows = ["| objective | promise | a bad event |", "|---|---|---|"]
    for slo in SLOS:
        bad = ", ".join(f"`{metric.name}`" for metric in slo.bad)
        rows.append(f"| {slo.title} | {slo.promise} | {bad} |")
    return "\n".join(rows)


Sections = Mapping[str, Callable[[], str]]

PAGES: Mapping[Path, Sections] = {
    ROOT / "functions/features/README.md": {"conformance": conformance},
    ROOT / "infra/README.md": {"objectives": objectives},
    ROOT / "shared/api/README.md": {"roles": roles},
    ROOT / "shared/counties/README.md": {"settings": settings, "sources": sources},
    ROOT / "shared/mapping/README.md": {
        "members": mapping_members,
        "targets": mapping_targets,
        "transformations": transformations,
        "validations": validations,
    },
}
"""The derived sections of each page, by the name in their markers."""


def with_sections(text: str, sections: Sections) -> str:
    """A page with each derived section made anew between its markers."""
    for name, render in sections.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = pattern.sub(rf"\g<1>{_escaped(render())}\n\g<2>", text)
    return text


def _escaped(replacement: str) -> str:
    return replacement.replace("\\", r"\\")


if __name__ == "__main__":
    for page, page_sections in PAGES.items():
        page.write_text(with_sections(page.read_text(), page_sections))
