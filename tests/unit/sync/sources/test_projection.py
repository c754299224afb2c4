"""Reference systems told from their text; `test_table_files` compares the formulas with PROJ."""

import pytest

from functions.sync.sources.projection import inverse_of
from shared.problems import Unprocessable

NAD83 = 'DATUM["D_North_American_1983",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0]'
DEGREES = f'GEOGCS["GCS_North_American_1983",{NAD83},UNIT["Degree",0.0174532925199433]]'
CONIC = (
    f'PROJCS["Washington North",{DEGREES},PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",1640416.667],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",-120.8333333333333],'
    'PARAMETER["Standard_Parallel_1",47.5],PARAMETER["Standard_Parallel_2",48.73333333333333],'
    'PARAMETER["Latitude_Of_Origin",47.0],UNIT["Foot_US",0.3048006096012192]]'
)


def test_the_false_origin_of_a_zone_is_its_natural_one() -> None:
    x, y = inverse_of(CONIC, "parcels")((1640416.667, 0.0))
    assert x == pytest.approx(-120.8333333333333, abs=1e-9)
    assert y == pytest.approx(47.0, abs=1e-9)


def test_a_height_beside_the_map_changes_nothing() -> None:
    compound = f'COMPD_CS["with heights",{CONIC},VERT_CS["NAVD88",VERT_DATUM["NAVD88",2005],UNIT["metre",1.0]]]'
    # the unit of heights stands last
    with_unit = inverse_of(compound, "parcels")((1640416.667 + 1000, 5000.0))
    assert with_unit == inverse_of(CONIC, "parcels")((1640416.667 + 1000, 5000.0))


def test_degrees_stay_as_they_are() -> None:
    assert inverse_of(DEGREES, "parcels")((-122.5, 47.5)) == (-122.5, 47.5)


@pytest.mark.parametrize(
    "wkt",
    [
        f'PROJCRS["in WKT 2",BASEGEOGCRS["NAD83",{NAD83}],CONVERSION["x",METHOD["Lambert Conic Conformal (2SP)"]]]',
        f'GEOGCS["in grads",{NAD83},UNIT["grad",0.01570796326794897]]',
        CONIC.replace("Lambert_Conformal_Conic", "Hotine_Oblique_Mercator_Azimuth_Natural_Origin"),
        DEGREES.replace("D_North_American_1983", "D_North_American_1927"),
        'LOCAL_CS["a drawing",UNIT["Foot_US",0.3048006096012192]]',
        "",
        "not a reference system",
    ],
)
def test_what_is_not_known_for_sure_is_refused(wkt: str) -> None:
    with pytest.raises(Unprocessable, match="Export it in WGS 84"):
        inverse_of(wkt, "parcels")
