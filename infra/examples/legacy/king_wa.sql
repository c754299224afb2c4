-- A county's Harris PACS, filled from `raw` (King County's sales, one row a sale, all text).
-- Key of nearly everything: prop_id, prop_val_yr (0 is the year in progress), sup_num (the highest is current).

CREATE TABLE property (
    prop_id integer PRIMARY KEY, prop_type_cd char(5) NOT NULL, geo_id char(20), ref_id1 varchar(20),
    prop_create_dt timestamp
);
CREATE TABLE property_use (property_use_cd char(10) PRIMARY KEY, property_use_desc varchar(50));
CREATE TABLE property_val (
    prop_id integer, prop_val_yr numeric(4), sup_num integer, prop_inactive_dt timestamp, legal_desc varchar(255),
    hood_cd char(10), property_use_cd char(10), land_hstd_val numeric(14), land_non_hstd_val numeric(14),
    imprv_hstd_val numeric(14), imprv_non_hstd_val numeric(14), market numeric(14), appraised_val numeric(14),
    assessed_val numeric(14), last_appraisal_yr numeric(4),
    PRIMARY KEY (prop_id, prop_val_yr, sup_num)
);
CREATE TABLE situs (
    situs_id integer PRIMARY KEY, prop_id integer, primary_situs char(1), situs_num varchar(15),
    situs_street_prefx varchar(10), situs_street varchar(50), situs_street_sufix varchar(10), situs_city varchar(30),
    situs_state char(2), situs_zip varchar(10)
);
CREATE TABLE account (acct_id integer PRIMARY KEY, file_as_name varchar(70), confidential_flag char(1));
CREATE TABLE owner (
    owner_id integer, prop_id integer, owner_tax_yr numeric(4), sup_num integer, pct_ownership numeric(13, 10),
    PRIMARY KEY (owner_id, prop_id, owner_tax_yr, sup_num)
);
CREATE TABLE land_detail (
    prop_id integer, prop_val_yr numeric(4), sup_num integer, land_seg_id integer, land_type_cd char(10),
    size_acres numeric(18, 4), size_square_feet numeric(18, 2), land_seg_mkt_val numeric(14),
    PRIMARY KEY (prop_id, prop_val_yr, sup_num, land_seg_id)
);
CREATE TABLE imprv (
    prop_id integer, prop_val_yr numeric(4), sup_num integer, imprv_id integer, imprv_type_cd char(5),
    imprv_desc varchar(50), imprv_val numeric(14),
    PRIMARY KEY (prop_id, prop_val_yr, sup_num, imprv_id)
);
CREATE TABLE imprv_detail (
    prop_id integer, prop_val_yr numeric(4), sup_num integer, imprv_id integer, imprv_det_id integer,
    imprv_det_type_cd char(10), imprv_det_class_cd char(10), imprv_det_area numeric(18, 1), yr_built numeric(4),
    depreciation_yr numeric(4), condition_cd char(5),
    PRIMARY KEY (prop_id, prop_val_yr, sup_num, imprv_id, imprv_det_id)
);
CREATE TABLE imprv_attr (
    prop_id integer, prop_val_yr numeric(4), sup_num integer, imprv_id integer, imprv_det_id integer,
    i_attr_val_id integer, i_attr_val_cd varchar(75), i_attr_unit numeric(8, 2),
    PRIMARY KEY (prop_id, prop_val_yr, sup_num, imprv_id, imprv_det_id, i_attr_val_id)
);
CREATE TABLE chg_of_owner (
    chg_of_owner_id integer PRIMARY KEY, deed_dt timestamp, deed_type_cd char(10), deed_num varchar(50)
);
CREATE TABLE chg_of_owner_prop_assoc (
    chg_of_owner_id integer, prop_id integer, seq_num integer, PRIMARY KEY (chg_of_owner_id, prop_id)
);
CREATE TABLE sale (
    chg_of_owner_id integer PRIMARY KEY, sl_price numeric(14), sl_dt timestamp, sl_type_cd char(5),
    sl_ratio_type_cd char(5), sl_county_ratio_cd char(5)
);
CREATE TABLE sl_county_ratio (sl_county_ratio_cd char(5) PRIMARY KEY, sl_county_ratio_desc varchar(50));
-- not PACS's own: the table that a county's GIS staff loads beside it, one centroid a property
CREATE TABLE gis_property_centroid (prop_id integer PRIMARY KEY, longitude numeric(12, 6), latitude numeric(12, 6));
-- likewise: the mean living and lot area of the fifteen nearest homes
CREATE TABLE gis_property_surroundings (
    prop_id integer PRIMARY KEY, near_living_sqft numeric(10), near_lot_sqft numeric(10)
);

INSERT INTO property_use VALUES ('11', 'Single family residence'), ('91', 'Undeveloped land');
INSERT INTO sl_county_ratio VALUES
    ('01', 'Valid sale'), ('10', 'Nominal consideration'), ('15', 'Several parcels'), ('20', 'Family or gift');

-- one property a parcel, as its latest sale describes it; numbers are steady, because parcels are numbered in order
CREATE TEMP TABLE parcel AS
SELECT 1000000 + row_number() OVER (ORDER BY id)::integer AS prop_id, row_number() OVER (ORDER BY id) AS n, r.*
FROM (SELECT DISTINCT ON (id) * FROM raw ORDER BY id, date DESC) AS r;
CREATE UNIQUE INDEX ON parcel (id);
ANALYZE parcel;

INSERT INTO property SELECT prop_id, 'R', id, id, '2001-07-01' FROM parcel;
-- every ninth has a second supplement, whose first one stood in another hood; all have a closed year behind them
CREATE TEMP TABLE version AS
SELECT prop_id, n, 0 AS prop_val_yr, sup_num FROM parcel, LATERAL generate_series(0, (n % 9 = 0)::integer) AS sup_num
UNION ALL SELECT prop_id, n, 2014, 0 FROM parcel;
ANALYZE version;

INSERT INTO property_val
SELECT v.prop_id, v.prop_val_yr, v.sup_num, NULL, NULL,
    CASE WHEN v.n % 9 = 0 AND v.sup_num = 0 THEN 'OLD' ELSE p.zipcode END,
    '11', 0, 0, 0, 0, 0, 0, 0, 2014
FROM version AS v JOIN parcel AS p USING (prop_id);
INSERT INTO situs SELECT n, prop_id, 'Y', NULL, NULL, NULL, NULL, NULL, 'WA', zipcode FROM parcel;
INSERT INTO situs SELECT 500000 + n, prop_id, 'N', NULL, NULL, NULL, NULL, NULL, 'WA', NULL FROM parcel WHERE n % 25 = 0;
INSERT INTO land_detail
SELECT prop_id, prop_val_yr, sup_num, 1, 'RES', round(p.sqft_lot::numeric / 43560, 4), p.sqft_lot::numeric, 0
FROM version AS v JOIN parcel AS p USING (prop_id);
INSERT INTO imprv
SELECT prop_id, prop_val_yr, sup_num, 1, 'RES', 'Residence', 0 FROM version;
INSERT INTO imprv_detail
SELECT prop_id, prop_val_yr, sup_num, 1, d.det_id, d.type, p.grade, d.area, p.yr_built::numeric,
    CASE WHEN p.yr_renovated = '0' THEN p.yr_built ELSE p.yr_renovated END::numeric, p.condition
FROM version AS v JOIN parcel AS p USING (prop_id),
    LATERAL (VALUES (1, 'MA', p.sqft_above::numeric), (2, 'BM', p.sqft_basement::numeric)) AS d (det_id, type, area)
WHERE d.area > 0;
INSERT INTO imprv_attr
SELECT prop_id, prop_val_yr, sup_num, 1, 1, a.id, a.code, a.unit
FROM version AS v JOIN parcel AS p USING (prop_id),
    LATERAL (VALUES (1, 'Bedrooms', p.bedrooms::numeric), (2, 'Baths', p.bathrooms::numeric),
        (3, 'Stories', p.floors::numeric), (4, 'View', p.view::numeric), (5, 'Waterfront', p.waterfront::numeric)
    ) AS a (id, code, unit)
WHERE a.unit > 0;
INSERT INTO gis_property_centroid SELECT prop_id, long::numeric, lat::numeric FROM parcel;
INSERT INTO gis_property_surroundings SELECT prop_id, sqft_living15::numeric, sqft_lot15::numeric FROM parcel;

-- the sales of the data: valid ones
CREATE TEMP TABLE deed AS
SELECT 2000000 + row_number() OVER (ORDER BY r.id, r.date)::integer AS deed_id, p.prop_id, p.n, r.date, r.price
FROM raw AS r JOIN parcel AS p USING (id);
INSERT INTO chg_of_owner SELECT deed_id, date::timestamp, 'WD', 'K' || deed_id FROM deed;
INSERT INTO chg_of_owner_prop_assoc SELECT deed_id, prop_id, 1 FROM deed;
INSERT INTO sale SELECT deed_id, price::numeric, date::timestamp, 'R', '00', '01' FROM deed;
-- transfers that are no sales: quit claims for 1 and 10
INSERT INTO chg_of_owner SELECT 3000000 + n, '2013-03-01', 'QCD', NULL FROM parcel WHERE n % 40 = 0;
INSERT INTO chg_of_owner_prop_assoc SELECT 3000000 + n, prop_id, 1 FROM parcel WHERE n % 40 = 0;
INSERT INTO sale
SELECT 3000000 + n, CASE WHEN n % 80 = 0 THEN 1 ELSE 10 END, '2013-03-01', 'R', '00',
    CASE WHEN n % 80 = 0 THEN '20' ELSE '10' END
FROM parcel WHERE n % 40 = 0;
-- a deed over two parcels, with one price for both: what the two were sold for later
INSERT INTO chg_of_owner SELECT 4000000 + n, '2013-06-03', 'WD', 'M' || n FROM parcel WHERE n % 500 = 0;
INSERT INTO chg_of_owner_prop_assoc
SELECT 4000000 + p.n, q.prop_id, 1 + (q.n = p.n)::integer
FROM parcel AS p JOIN parcel AS q ON q.n BETWEEN p.n - 1 AND p.n WHERE p.n % 500 = 0;
INSERT INTO sale
SELECT 4000000 + p.n, sum(q.price::numeric), '2013-06-03', 'R', '00', '15'
FROM parcel AS p JOIN parcel AS q ON q.n BETWEEN p.n - 1 AND p.n WHERE p.n % 500 = 0 GROUP BY p.n;

-- inactive properties that were merged into their neighbours, and are kept
INSERT INTO property SELECT 1900000 + n, 'R', 'X' || id, NULL, '1985-01-01' FROM parcel WHERE n % 60 = 0;
INSERT INTO property_val
SELECT 1900000 + n, 0, 0, '2009-12-31', 'MERGED', zipcode, '11', 0, 0, 0, 0, 0, 0, 0, 2009 FROM parcel WHERE n % 60 = 0;

-- rows that are wrong, one fault each
INSERT INTO property
SELECT 1990000 + n, 'R', CASE WHEN n = 5 THEN NULL ELSE 'BAD' || n END, NULL, NULL FROM generate_series(1, 5) AS n;
INSERT INTO property_val
SELECT 1990000 + n, 0, 0, NULL, NULL, '98001', CASE WHEN n = 4 THEN '??' ELSE '11' END, 0, 0, 0, 0, 0, 0, 0, 2014
FROM generate_series(1, 5) AS n;
INSERT INTO imprv VALUES (1990001, 0, 0, 1, 'RES', 'Residence', 0);
INSERT INTO imprv_detail VALUES (1990001, 0, 0, 1, 1, 'MA', '7', 1500, 9999, 9999, '3'); -- impossible year
INSERT INTO gis_property_centroid VALUES
    (1990002, 47.512300, -122.257000), -- swapped
    (1990003, -122.300000, 4751.230000); -- a slipped point
INSERT INTO chg_of_owner VALUES (4900001, '2014-09-01', 'WD', 'BAD1'), (4900002, '2041-09-01', 'WD', 'BAD2');
INSERT INTO chg_of_owner_prop_assoc VALUES (4900001, 1000001, 1), (4900002, 1000002, 1);
INSERT INTO sale VALUES
    (4900001, -350000, '2014-09-01', 'R', '00', '20'), -- a negative price
    (4900002, 350000, '2041-09-01', 'R', '00', '20'); -- a date ahead

CREATE INDEX ON situs (prop_id);
CREATE INDEX ON chg_of_owner_prop_assoc (prop_id);
DROP TABLE raw;
ANALYZE;
