"""Limits of a printed report, each with its reason. The CSV and the JSON of a report have everything."""

MAX_PRINTED_ROWS = 1000
"""Rows of a printed table. A choice: some twenty pages are more than anybody reads on paper, and typesetting takes
memory with every row."""

MAX_CHART_STRATA = 40
"""Strata of a chart of medians. What a page holds: 40 rows of 12 points are 480 of the 670 points of its text."""

MAX_CHART_BARS = 14
"""Groups of a chart of values. What half a landscape page holds beside its heading and legend."""

CHART_LIMITS = (0.4, 1.8)
"""The widest axis of ratios. A choice: it holds every median that trimming leaves in a usable study; what lies beyond
is drawn at the edge, so that one odd stratum does not press all others into a point."""

CHART_MIN_SPAN = (0.8, 1.2)
"""The narrowest axis: the range of 0.90 to 1.10 of the IAAO Standard on Ratio Studies (2013) with as much beside it."""

MAX_TICKS = 8
"""Marks of an axis. A choice: their labels stand apart at the narrowest, half a page."""

MAX_MAP_PARCELS = 400
"""Parcels around one on its map. A choice: more of them are smaller than a line is wide."""

MAX_GRID_COMPARABLES = 5
"""Comparables beside the property in a grid. What a page in portrait holds at a readable size; all are listed."""

MAX_LISTED_CHANGES = 100
"""Parcels of a printed list of the largest changes. A choice: two pages; the table of data has every parcel."""

CHANGE_BIN_ENDS = (-50, -20, -10, -5, 0, 5, 10, 20, 50)
"""Changes in percent at which the bars of their distribution meet. A choice: narrow where a revaluation puts most."""

MAX_RATIO_MAP_PARCELS = 4000
"""Parcels of a map of neighborhoods. A choice: on half a page more dots lie upon each other."""

MAX_IMPORTANCES = 20
"""Features of a table of importances. A choice: those beyond are together a small part of most values."""
