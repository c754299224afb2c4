-- A county's Tyler iasWorld, filled from `raw` (Lucas County's sales, one row a parcel, all text).
-- Everything is text, as its extracts are. cur = 'Y' is the current version; deactivat is set on dead rows.

CREATE TABLE pardat (
    jur text, parid text, taxyr text, cur text, deactivat text, adrno text, adrdir text, adrstr text, adrsuf text,
    cityname text, zip1 text, nbhd text, class text, luc text, acres text, calcacres text, who text, wen text
);
CREATE TABLE legdat (
    jur text, parid text, taxyr text, cur text, deactivat text, legal1 text, legal2 text, legal3 text, subdiv text,
    who text, wen text
);
CREATE TABLE owndat (
    jur text, parid text, taxyr text, cur text, deactivat text, own1 text, own2 text, adrno text, adrstr text,
    cityname text, zip1 text, who text, wen text
);
CREATE TABLE dweldat (
    jur text, parid text, taxyr text, card text, cur text, deactivat text, yrblt text, effyr text, sfla text,
    stories text, extwall text, rmtot text, rmbed text, fixbath text, fixhalf text, bsmt text, heat text, grade text,
    cond text, who text, wen text
);
CREATE TABLE addn (
    jur text, parid text, taxyr text, card text, lline text, cur text, deactivat text, lower text, area text, who text,
    wen text
);
CREATE TABLE oby (
    jur text, parid text, taxyr text, card text, lline text, cur text, deactivat text, code text, yrblt text,
    area text, who text, wen text
);
CREATE TABLE land (
    jur text, parid text, taxyr text, lline text, cur text, deactivat text, ltype text, sf text, acres text, influ text,
    front text, depth text, who text, wen text
);
CREATE TABLE asmt_all (
    jur text, parid text, taxyr text, cur text, deactivat text, rolltype text, valclass text, valapr1 text,
    valapr2 text, valapr3 text, valasm1 text, valasm2 text, valasm3 text, who text, wen text
);
CREATE TABLE sales (
    jur text, parid text, salekey text, cur text, deactivat text, saledt text, price text, saletype text, saleval text,
    mktvalid text, nopar text, instruno text, instrtyp text, own1 text, oldown text, who text, wen text
);
-- not iasWorld's own: the parcel points that a county's GIS staff loads beside it
CREATE TABLE gis_parcel_point (parid text, x text, y text, longitude text, latitude text);

CREATE TEMP TABLE parcel AS
SELECT row_number() OVER (ORDER BY parcel_id) AS n, r.* FROM raw AS r;
ANALYZE parcel;

-- The data names no neighborhood. nbhd is the cell of a 3 km grid over Ohio's state plane (metres) that the parcel
-- lies in: two digits of x, two of y.
INSERT INTO pardat
SELECT '048', parcel_id, '1998', 'Y', '', NULL, NULL, NULL, NULL, NULL, NULL,
    lpad(floor(x::numeric / 3000 - 150)::text, 2, '0') || lpad(floor(y::numeric / 3000 - 60)::text, 2, '0'),
    'R', '510', round(lotsize::numeric / 43560, 4)::text, round(lotsize::numeric / 43560, 4)::text,
    'CONV', '1998-12-' || lpad((1 + n % 28)::text, 2, '0') || ' 08:15:00.0'
FROM parcel;
-- dead versions beside the living: last year's, and corrections that were withdrawn
INSERT INTO pardat
SELECT jur, parid, '1997', 'N', '', adrno, adrdir, adrstr, adrsuf, cityname, zip1, nbhd, class, luc, acres, calcacres,
    'CONV', '1997-12-01 08:15:00.0'
FROM pardat;
INSERT INTO pardat
SELECT jur, parid, taxyr, 'Y', '05-MAR-1998', adrno, adrdir, adrstr, adrsuf, cityname, zip1, '9999', class, luc, '0',
    '0', 'JDOE', '1998-03-05 11:00:00.0'
FROM pardat WHERE taxyr = '1998' AND right(parid, 2) = '00';

-- every 300th dwelling stands on two cards, which add up to the whole
INSERT INTO dweldat
SELECT '048', parcel_id, '1998', card::text, 'Y', '', yrbuilt, '',
    CASE WHEN n % 300 <> 0 THEN tla WHEN card = 1 THEN (tla::integer - tla::integer / 4)::text
        ELSE (tla::integer / 4)::text END,
    stories, wall, CASE WHEN card = 1 THEN rooms ELSE '0' END, CASE WHEN card = 1 THEN beds ELSE '0' END,
    CASE WHEN card = 1 THEN baths ELSE '0' END, CASE WHEN card = 1 THEN halfbaths ELSE '0' END,
    '', '', '', '', 'CONV', '1998-12-01 08:15:00.0'
FROM parcel, LATERAL generate_series(1, 1 + (n % 300 = 0)::integer) AS card;
INSERT INTO dweldat
SELECT jur, parid, taxyr, card, 'Y', '17-JUN-1998', '0', '', '0', stories, extwall, '0', '0', '0', '0', '', '', '', '',
    'JDOE', '1998-06-17 09:30:00.0'
FROM dweldat WHERE right(parid, 2) = '50';
INSERT INTO oby
SELECT '048', parcel_id, '1998', '1', '1', 'Y', '', CASE garage WHEN 'attached' THEN '1' WHEN 'detached' THEN '2'
    WHEN 'basement' THEN '3' ELSE '4' END, yrbuilt, garagesqft, 'CONV', '1998-12-01 08:15:00.0'
FROM parcel WHERE garage <> 'no garage';
INSERT INTO land
SELECT '048', parcel_id, '1998', '1', 'Y', '', '1', lotsize, round(lotsize::numeric / 43560, 4)::text, '',
    frontage, depth, 'CONV', '1998-12-01 08:15:00.0'
FROM parcel;
-- the county's own appraisal; land and building are not told apart (0), assessed is Ohio's 35 % of it
INSERT INTO asmt_all
SELECT '048', parcel_id, '1998', 'Y', '', 'RP', 'R', '0', '0', avalue, '0', '0', round(avalue::numeric * 0.35)::text,
    'CONV', '1998-12-01 08:15:00.0'
FROM parcel;
INSERT INTO sales
SELECT '048', parcel_id, '1', 'Y', '', to_char(sale_date::date, 'YYYYMMDD'), price, '2', '0', 'Y', '1', 'L' || n, 'WD',
    NULL, NULL, 'CONV', to_char(sale_date::date, 'YYYY-MM-DD') || ' 00:00:00.0'
FROM parcel;
INSERT INTO sales
SELECT '048', parcel_id, '2', 'Y', '', '19920115', CASE WHEN n % 2 = 0 THEN '1' ELSE '10' END, '2', '8', 'N', '1', '',
    'QC', NULL, NULL, 'CONV', '1992-01-15 00:00:00.0'
FROM parcel WHERE n % 45 = 0;
-- a deed over two parcels, with one price for both
INSERT INTO sales
SELECT '048', q.parcel_id, '3', 'Y', '', '19920901', (p.price::integer + o.price::integer)::text, '2', '5', 'N', '2',
    'M' || p.n, 'WD', NULL, NULL, 'CONV', '1992-09-01 00:00:00.0'
FROM parcel AS p JOIN parcel AS o ON o.n = p.n - 1 JOIN parcel AS q ON q.n IN (p.n, o.n) WHERE p.n % 600 = 0;
INSERT INTO gis_parcel_point SELECT parcel_id, x, y, longitude, latitude FROM parcel;

-- rows that are wrong, one fault each
INSERT INTO pardat (jur, parid, taxyr, cur, deactivat, class, luc, acres, wen)
SELECT '048', CASE WHEN n = 1 THEN '  ' ELSE 'LC99999' || n END, '1998', 'Y', '', 'R', '510', '0.1',
    '1998-12-01 00:00:00.0'
FROM generate_series(1, 6) AS n; -- the first has no key
INSERT INTO dweldat (jur, parid, taxyr, card, cur, deactivat, yrblt, sfla, stories, rmbed)
VALUES
    ('048', 'LC999992', '1998', '1', 'Y', '', '19x7', '1200', 'one', '3'), -- no number
    ('048', 'LC999993', '1998', '1', 'Y', '', '2985', '1200', 'one', '3'), -- impossible year
    ('048', 'LC999994', '1998', '1', 'Y', '', '1950', '1200', 'sideways', '3'), -- unknown code
    ('048', 'LC999995', '1998', '1', 'Y', '', '1950', '1200', 'one', '3O'); -- a letter for a digit
INSERT INTO gis_parcel_point VALUES ('LC999996', '0', '0', '41.6', '-83.5'); -- swapped
INSERT INTO sales (jur, parid, salekey, cur, deactivat, saledt, price, saletype, saleval, mktvalid, nopar)
VALUES
    ('048', 'LC000801', '97', 'Y', '', '19970231', '48000', '2', '9', 'N', '1'), -- no day of the calendar
    ('048', 'LC000801', '98', 'Y', '', '19970203', '-48000', '2', '9', 'N', '1'), -- a negative price
    ('048', 'LC000801', '99', 'Y', '', '19970203', 'N/A', '2', '9', 'N', '1'); -- no number

CREATE INDEX ON pardat (parid);
CREATE INDEX ON dweldat (parid);
CREATE INDEX ON oby (parid);
CREATE INDEX ON land (parid);
CREATE INDEX ON asmt_all (parid);
CREATE INDEX ON sales (parid, salekey);
CREATE INDEX ON gis_parcel_point (parid);
DROP TABLE raw;
ANALYZE;
