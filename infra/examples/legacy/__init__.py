"""Two legacy CAMA systems on PostgreSQL, with the tables and the habits of real ones, and real counties' data.

`king_wa` looks like Harris PACS and holds King County, Washington's house sales of 2014-05 to 2015-05
(data/king_county_wa_sales.csv.gz, 19,449 rows). `lucas_oh` looks like Tyler iasWorld and holds Lucas County,
Ohio's single-family sales of 1993 to 1998 with the county's appraisals (data/lucas_county_oh_sales.csv.gz, 22,878
rows). Both are public records, released under CC0 1.0.

What the systems have and the data does not (names of owners, street addresses, values of King County) is empty.
What is added is of the systems' habits, and told apart by its keys: nominal transfers and deeds over several
parcels from before the data's sales, dead and inactive rows, and a handful of rows that are wrong.
"""

from infra.examples.legacy.building import COUNTIES, build, build_county

__all__ = ["COUNTIES", "build", "build_county"]
