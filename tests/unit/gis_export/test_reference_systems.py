"""Reference systems by code."""

import pytest

from functions.gis_export.domain.reference_systems import find, require_within
from shared.problems import Unprocessable

SEATTLE = (-122.5, 47.1, -121.1, 47.8)
MIAMI = (-80.9, 25.1, -80.1, 26.0)
FIJI = (177.0, -19.0, 179.9, -16.0)
SAMOA = (-172.9, -14.1, -171.4, -13.4)


@pytest.mark.parametrize(
    ("crs", "name"),
    [
        ("EPSG:3857", "WGS 84 / Pseudo-Mercator"),
        ("EPSG:2926", "NAD83(HARN) / Washington North (ftUS)"),
        ("EPSG:4269", "NAD83"),
    ],
)
def test_projected_and_geographic_systems_are_known_by_name(crs: str, name: str) -> None:
    assert find(int(crs.removeprefix("EPSG:"))).name == name


@pytest.mark.parametrize(
    ("crs", "slug"),
    [
        ("EPSG:999999", "crs-unknown"),
        ("EPSG:5703", "crs-not-for-maps"),
        ("EPSG:4978", "crs-not-for-maps"),
        ("EPSG:7405", "crs-not-for-maps"),
        ("EPSG:4979", "crs-not-for-maps"),
    ],
)
def test_heights_earth_centred_systems_and_unknown_codes_are_refused(crs: str, slug: str) -> None:
    with pytest.raises(Unprocessable, match=crs) as caught:
        find(int(crs.removeprefix("EPSG:")))
    assert caught.value.slug == slug
    assert [fault.pointer for fault in caught.value.faults] == ["/body/crs"]


def test_a_state_plane_is_meant_for_its_state() -> None:
    washington = find(2926)
    require_within(washington, SEATTLE)
    with pytest.raises(Unprocessable, match="Washington North"):
        require_within(washington, MIAMI)


def test_an_area_across_the_180th_meridian_is_understood() -> None:
    fiji = find(3460)
    assert fiji.crs.area_of_use is not None
    assert fiji.crs.area_of_use.west > fiji.crs.area_of_use.east
    assert fiji.is_meant_for(FIJI)
    assert not fiji.is_meant_for(SAMOA)
    assert not fiji.is_meant_for(SEATTLE)
