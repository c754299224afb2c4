"""A legacy table of any size, made by the server itself: for benchmarks and tests of scale."""

from sqlalchemy.engine import URL

from infra.examples.legacy.building import connected

TABLE = "parcel_extract"


def build_parcels(url: URL, rows: int) -> None:
    """Make `parcel_extract` of `rows` parcels x 25 columns in the database at `url`; the same rows every time."""
    with connected(url) as connection:
        connection.run_alone(
            f"DROP TABLE IF EXISTS {TABLE}; CREATE TABLE {TABLE} AS {_SELECT.format(rows=rows)};"
            f" ALTER TABLE {TABLE} ADD PRIMARY KEY (parcel_id); ANALYZE {TABLE}"
        )


# each column's numbers come from the row's own by multiplication modulo a prime: spread, and without a seed
_SELECT = """
SELECT
    lpad(i::text, 10, '0') AS parcel_id,
    lpad((i * 7919 % 9999991)::text, 12, '0')::char(20) AS geo_id,
    (i * 31 % 9900 + 100)::text AS situs_num,
    (ARRAY['N', 'S', 'E', 'W'])[1 + i % 4] AS situs_prefix,
    (ARRAY['MAIN', 'OAK', 'PIKE', 'LAKE VIEW', 'MARTIN LUTHER KING', 'ELM', '12TH'])[1 + i * 13 % 7] AS situs_street,
    (ARRAY['ST', 'AVE', 'BLVD'])[1 + i * 17 % 3] AS situs_suffix,
    (ARRAY['SPRINGFIELD', 'FRANKLIN', 'CLINTON'])[1 + i * 19 % 3] AS situs_city,
    'WA'::char(4) AS situs_state,
    (98000 + i * 23 % 200)::text AS situs_zip,
    'LOT ' || i % 40 || ' BLK ' || i % 25 || ' PLAT OF SECTION ' || i * 29 % 997 AS legal_desc,
    (ARRAY['R10', 'C20', 'A05'])[1 + i * 37 % 3] AS class_cd,
    'N' || i * 41 % 300 AS hood_cd,
    round((-122.9 + (i * 7907 % 100003) / 100003.0)::numeric, 6) AS longitude,
    round((47.1 + (i * 7901 % 100019) / 170000.0)::numeric, 6) AS latitude,
    i * 43 % 40000 + 1500 AS land_sqft,
    i * 47 % 4000 + 600 AS living_sqft,
    1900 + i * 53 % 120 AS yr_built,
    1950 + i * 59 % 70 AS eff_year,
    1 + i * 61 % 5 AS bedrooms,
    1 + i * 67 % 4 + 0.5 * (i % 2) AS baths,
    (ARRAY['one', 'one+half', 'two'])[1 + i * 71 % 3] AS stories,
    (i * 73 % 900000 + 20000)::numeric(14, 2) AS land_val,
    (i * 79 % 1500000)::numeric(14, 2) AS imprv_val,
    to_char(date '1990-01-01' + (i * 83 % 12000)::integer, 'YYYYMMDD') AS sale_dt,
    (i * 89 % 2000000)::text AS sale_price
FROM generate_series(1::bigint, {rows}) AS i
"""

MAPPING = f"""\
source_system_type: SYNTHETIC
target_schema_version: "1.1"
county_id_default: COUNTY
table_mappings:
  - source_table_name: {TABLE}
    target_table_name: properties_operational
    primary_key_source_fields: [parcel_id]
    primary_key_target_fields: [property_id]
    field_map:
      - {{source: parcel_id, target: property_id, type: string, required: true}}
      - {{source: geo_id, target: parcel_number, type: string, transformations: [{{type: strip_whitespace}}]}}
      - {{source: situs_num, target: situs_number, type: string}}
      - {{source: situs_prefix, target: situs_prefix, type: string}}
      - {{source: situs_street, target: situs_street, type: string}}
      - {{source: situs_suffix, target: situs_suffix, type: string}}
      - {{source: situs_city, target: situs_city, type: string}}
      - {{source: situs_state, target: situs_state, type: string, transformations: [{{type: strip_whitespace}}]}}
      - {{source: situs_zip, target: situs_zip, type: string}}
      - {{source: [situs_num, situs_prefix, situs_street, situs_suffix], target: situs_address, type: string,
         transformations: [{{type: concat}}]}}
      - {{source: legal_desc, target: legal_description, type: string}}
      - {{source: class_cd, target: property_class, type: string,
         transformations: [{{type: value_map, map: classes}}]}}
      - {{source: hood_cd, target: neighborhood, type: string}}
      - {{source: longitude, target: longitude, type: float}}
      - {{source: latitude, target: latitude, type: float}}
      - {{source: land_sqft, target: land_area_sqft, type: decimal}}
      - {{source: living_sqft, target: living_area_sqft, type: decimal}}
      - {{source: yr_built, target: year_built, type: integer}}
      - {{source: eff_year, target: effective_year, type: integer}}
      - {{source: bedrooms, target: bedrooms, type: decimal}}
      - {{source: baths, target: bathrooms, type: decimal}}
      - {{source: stories, target: stories, type: decimal, transformations: [{{type: value_map, map: stories}}]}}
      - {{source: land_val, target: land_value, type: money}}
      - {{source: imprv_val, target: improvement_value, type: money}}
      - {{source: [land_val, imprv_val], target: total_value, type: money, transformations: [{{type: add}}]}}
      - {{source: sale_dt, target: last_sale_date, type: date,
         transformations: [{{type: parse_date, format: "%Y%m%d"}}]}}
      - {{source: sale_price, target: last_sale_price, type: money}}
value_maps:
  classes: {{R10: residential, C20: commercial, A05: agricultural}}
  stories: {{one: 1, one+half: 1.5, two: 2}}
"""
"""The mapping of the table; put the county's id for COUNTY."""
