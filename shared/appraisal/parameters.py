"""The numbers that decide about a statistic, a verdict or a value, each with its source or the experiment behind it.

"Standard": IAAO, Standard on Ratio Studies (April 2013). "Draft": the exposure draft of its revision (2025; May 2026,
appendix E). "Choice": set without an experiment that is on record; `+-0.2` says that halving and doubling it moved the
COD of later sales by at most so much (values by comparable sales of 2,400 sales each of the two demo counties, tested
on the 250 days after; another similarity length, which any of them can tip, alone moves it by 0.2 and 0.5).
"""

# Units
DAYS_PER_YEAR = 365.2425
"""The Gregorian calendar's mean year."""
KM_PER_DEGREE_LATITUDE = 110.57
KM_PER_DEGREE_LONGITUDE = 111.32
"""WGS 84: a degree of latitude at the equator; a degree of longitude there, times the cosine of the latitude."""
MAD_TO_DEVIATION = 1.4826
"""From the median absolute deviation to a normal distribution's standard deviation: 1 / 0.6745."""

# Ratio statistics and their intervals
MIN_SALES = 2
"""A dispersion needs two."""
MIN_SALES_FOR_PRB = 3
"""A slope with a standard error needs one degree of freedom."""
MIN_SALES_FOR_STATISTICS = 5
"""Standard, section 4.4 and the usual reading of it: below five sales no statistic is reliable."""
MIN_SALES_FOR_VERTICAL_EQUITY = 20
"""Draft: PRD, PRB, MKI and VEI are judged from 20 sales on."""
VEI_GROUPS = ((501, 10), (51, 4), (20, 2))
"""Draft, appendix E: from so many sales on, so many groups by value."""
VEI_GROUP_CONFIDENCE = 0.90
"""Draft, appendix E: the level of a group's interval."""
CONFIDENCE = 0.95
"""Standard, section 9: compliance is tested at 95 %."""
BOOTSTRAP_ITERATIONS = 1000
"""Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 12: about 1,000 for percentile intervals."""
MAX_BOOTSTRAP_ITERATIONS = 100_000
"""Choice: two digits more than anybody reads; it bounds what a request may cost."""
BOOTSTRAP_SEED = 20130401
"""Any number: the same study gives the same intervals. The month of the standard."""
MIN_DEFINED_RESAMPLES = 0.5
"""Choice: a statistic that most resamples do not have has no interval."""
IQR_MULTIPLE = 3.0
"""Standard, appendix B: extreme outliers lie beyond three interquartile ranges."""
MAX_TRIMMED_SHARE = 0.10
"""Standard, appendix B: no more than a tenth of a sample is trimmed."""

# Ranges of the standard
LEVEL_RANGE = (0.90, 1.10)
"""Standard, section 9.1: the overall level."""
STRATUM_TOLERANCE = 0.05
"""Standard, section 9: a stratum's level lies within 5 % of the overall level."""
COD_RANGE_HOMOGENEOUS = (5.0, 10.0)
COD_RANGE_RESIDENTIAL = (5.0, 15.0)
COD_RANGE_INCOME = (5.0, 20.0)
COD_RANGE_RURAL = (5.0, 20.0)
COD_RANGE_VACANT = (5.0, 25.0)
"""Standard, tables 1-3 and 2-3."""
PRD_RANGE = (0.98, 1.03)
PRB_RANGE = (-0.05, 0.05)
PRB_UNACCEPTABLE = (-0.10, 0.10)
"""Standard, tables 1-3 and 2-3 and section 9."""
MKI_RANGE = (0.95, 1.05)
"""Quintos (2020, 2021)."""
VEI_RANGE = (-10.0, 10.0)
"""Draft, appendix E."""

# Sales chasing (standard, appendix E)
SUSPICIOUS_COD = 5.0
"""Standard, table 1-3: a COD below 5 may be a sign of sales chasing."""
CHASING_BOUNDS = (0.98, 1.02)
MAX_CHASING_STEP = 0.03
"""The interval around 1 and the largest plausible step of the distribution of ratios, as in assesspy, the Cook County
Assessor's library."""
CHASING_DECIMALS = 3
"""Values are set in whole hundreds of dollars: a ratio is met to a thousandth, not to the last digit."""
SIGNIFICANCE_LEVEL = 0.05
"""The level that goes with intervals of 95 %."""
MAX_MEDIAN_DIFFERENCE = 0.05
"""Sold and unsold properties' changes of value that differ by more are taken for unequal treatment: states that give a
number (Wyoming's rules, chapter 5) give this one."""
MIN_RANK_TEST_SAMPLE = 10
"""The normal approximation of Mann and Whitney's statistic is close from samples of about ten."""

# Strata
MAX_DISTINCT_NUMBERS = 12
"""Choice: a number with more different values (bedrooms have fewer) is cut into quartiles."""

# Time trend
MIN_SALES_FOR_TREND = 30
"""Choice: a trend has a level, a slope and its changes to find; the usual size of a large sample."""
MAX_EXTRAPOLATION_YEARS = 1.0
"""Choice: beyond it the random walk's standard error is larger than what an appraiser could use."""
MAX_LOG_CHANGE_PER_YEAR = 0.25
"""Choice: beyond the sales prices go on by no more than fast markets moved in a year. Three to six months after the
last sale of Lucas County (31 dates) the median was off by 5.6 % on average, with half of it 5.1, with twice 6.1."""
SLOPE_HALF_LIFE_YEARS = 0.5
"""Choice: the last slope beyond the sales fades into the average one (a damped trend). As above, 5.6 %, with half of it
5.3, with twice 5.9."""
MIN_YEARS_FOR_SEASON = 2.0
"""A season has to come twice to be told from a trend."""
WAVES_PER_YEAR = (1.0, 2.0)
"""A yearly and a half-yearly wave: values carried four months ahead were off the median by 2.2 % on average without
them and by 1.2 % with them (sales of Seattle, 2010 to 2016, and Lucas County)."""
TREND_HUBER = 1.5
"""Residuals beyond so many deviations lose weight. Choice near Huber's 1.345 (95 % efficiency), +-0.2."""
TREND_ITERATIONS = 3
"""Reweighting converges to the third digit in three rounds."""
TREND_PENALTY_GRID = (1e-2, 1e8, 41)
SEASON_PENALTY_GRID = (1.0, 1e6, 7)
"""From, to, and how many: four (one) a decade, from hardly smoothed to a straight line (no season). REML chooses."""
TREND_RIDGE = 1e-6
"""Of the constant and the first slope: nearly none, for a solvable system."""
FREE_TREND_COLUMNS = 2
"""The constant and the first slope are not drawn to 0."""

# Regression features
LINEAR_PENALTY = 1.0
HINGE_PENALTY = 3.0
LEVEL_PENALTY = 3.0
"""Ridge penalties of a standardized number, of its changes of slope and of a code's level, in units of a sale's
information. Choices, +-0.3."""
MAX_UNKNOWN_SHARE = 0.05
"""Choice: a characteristic unknown more often has unknown as a state of its own."""
MAX_LEVELS = 300
"""Choice: levels of a code; the most frequent are kept. Each is a column of the regression."""
MIN_SALES_PER_LEVEL = 5
"""Choice, +-0.3: a level of fewer sales has no effect of its own."""
MIN_KNOWN = 5
MIN_KNOWN_SHARE = 0.005
"""A characteristic known for fewer sales (5, and 0.5 %) is left out: legacy systems write a view or a pool only where
there is one, so that half a percent can be worth learning from."""
MIN_EFFECTIVE_YEAR_SHARE = 0.02
"""Choice: a county keeps effective years if they say more than the years built for one sale in fifty."""
MEDIAN_KNOT = (50.0,)
FIVE_KNOTS = (5.0, 25.0, 50.0, 75.0, 95.0)
EFFECTIVE_AGE_KNOT = (25.0,)
"""Percentiles at which a slope may change: five for size, land and age, near those of Harrell, Regression Modeling
Strategies (2015), section 2.4.6; one for other numbers."""
MIN_ZERO_SHARE = 0.1
"""Choice: where more than a tenth of the sales have 0 of something, having any is a column of its own."""
EARLIEST_YEAR_BUILT = 1600.0
"""Earlier years are typing errors or codes: no building of a county's roll is older."""
QUALITY_CENTER = 7.0
LOG_LIVING_AREA_CENTER = 7.5
"""Where quality and log area are centred in their product: an average grade, and 1,800 square feet. The ridge makes it
matter a little which; the columns of both stand beside it."""

# Hedonic regression
MIN_SALES_FOR_MODEL = 50
"""Choice: below, intervals of samples of four counties did not hold what they said (see `avm.parameters`)."""
MIN_SALES_FOR_REGRESSION = 40
"""The four fifths of 50 that are left when some are kept out to test it."""
MAX_SALES_FOR_MODEL = 60_000
"""The latest of more: what a county sells in years. It bounds memory and time."""
HEDONIC_ITERATIONS = 4
"""Choice, +-0.2: rounds of regression, location and trend; half and twice as many move the middle value by 0.7 %."""
HEDONIC_HUBER = 1.2
"""Choice near Huber's 1.345 (95 % efficiency), +-0.5."""
MAX_LEVERAGE = 0.95
"""A sale that alone decides a coefficient is not left out wholly: its residual would be divided by 0."""
INTERCEPT_PENALTY = 1e-6
"""Nearly none, for a solvable system."""

# Location surface
LOCATION_WIDTHS_KM = (8.0, 3.0, 1.0, 0.4)
"""Standard deviations of the kernels, from a part of a county to a block. Choice, +-0.2."""
LOCATION_SHRINKAGE = 5.0
"""Sales' weight of the prior mean 0 in each average. Choice, +-0.2."""
MAX_LOCATION_DEVIATIONS = 3.0
"""Residuals are clipped at three robust deviations, the usual limit of an outlier."""
GRID_CELL_KM = 0.25
"""Finer than the narrowest kernel."""
MAX_GRID_CELLS = 4_000_000
"""Memory: larger areas have larger cells."""
GRID_PERCENTILES = (0.1, 99.9)
"""Coordinates beyond are taken for mistyped."""
GRID_MARGIN_KM = 5.0
"""Choice: as far around the sales has a property a location; beyond, it is flagged `outside_sales_area`."""
KERNEL_REACH = 4.0
"""Standard deviations at which a kernel ends: it is below 0.0004 there."""

# Comparable sales
COMPARABLES = 15
"""Choice: a grid that can be read. Half as many: +0.2 in King County, -1.1 in Lucas County; twice as many: -0.1, +0.2.
"""
SIMILARITY_LENGTHS_KM = (0.35, 0.7, 1.5, 4.0)
"""Kilometres that count as much as one residual deviation; the one that values the county's own sales best is taken.
Choice, +-0.5."""
OTHER_NEIGHBORHOOD = 0.5
OTHER_NEIGHBORHOOD_UNLOCATED = 2.0
UNLOCATED_SALE = 3.0
"""Distances added, in residual deviations: for another neighborhood, the same where a subject has no coordinates, and
for a sale without coordinates. Choices, +-0.2."""
OUTLIER_DEVIATIONS = 1.25
"""Adjusted prices farther from their median lose weight (Huber). Choice, +-0.2."""
CALIBRATION_SPACING = 5
"""One sale in five is kept out of a first fit to measure the error; the usual split. Choice, +-0.5
by the length that it chooses."""
MAX_CALIBRATION_SALES = 1500
MAX_TUNING_SALES = 500
"""More change the quantiles of the error, and the choice of a length, by less than their own noise."""
MIN_CALIBRATION_SALES = 10
"""With fewer an 80 % interval is the range of the sample."""
CROSS_FITTING_FOLDS = 5
"""The usual number; each fit keeps four fifths of the sales."""

# Prediction intervals
COVERAGE = 0.80
"""Choice: an interval that a reader can act on; one of 95 % spans a factor of two."""
CONFIDENCE_BAND = 0.10
"""`confidence` is the probability of a sale within 10 % of the estimate: the industry's PPE10."""
MIN_EXPECTED_ERROR = 0.4
MAX_EXPECTED_ERROR = 4.0
"""Bounds of an expected error, in multiples of the mean one: a regression of errors on difficulty may not promise
anything beyond what was seen. Choices; halved and doubled, the median width of intervals moves by 7 % at most, where
the lower bound is doubled."""
ERROR_FOLDS = 5
"""Each error is scaled by what the other folds say: samples of 100 to 400 sales in four counties held 75 % in 80 %
intervals without, and hold 80 % with it and the inflation of out-of-fold errors."""
ERROR_CAP_QUANTILE = 0.99
"""One outlying sale must not decide what difficulty means."""
ERROR_RIDGE = 1e-6
"""Nearly none, for a solvable system."""
DIFFICULTY_QUANTILE = 0.95
"""Flags name what one past sale in twenty exceeded."""
MAX_DAYS_BEYOND_SALES = 60
"""Choice: two months of a trend without sales are flagged; deeds are recorded within that time."""

# Market index
MIN_SALES_FOR_INDEX = 30
MIN_SALES_PER_MONTH = 5
"""Choices: months of fewer are left out; an index with a standard error over 10 % of it is withheld anyway."""
INDEX_ITERATIONS = 3
INDEX_HUBER = 1.5
"""As the trend's."""
INDEX_RIDGE = 1e-8
"""Of constant and months: nearly none, for a solvable system."""
MAX_SALES_FOR_INDEX_TREND = 60_000
"""Of more sales as many, dealt evenly over time, tell the trend as well."""
MIN_PAIRS = 30
"""Choice: as the hedonic index."""
MIN_HOLDING_DAYS = 183
"""Resales within half a year are left out as flips, as S&P's indices do."""
MIN_VARIANCE_SHARE = 0.05
"""Choice: no pair weighs more than twenty average ones."""

# Land
MIN_SALES_FOR_LAND = 100
"""Choice: four rates with a sign constraint; below, their signs were seen to change."""
MAX_LAND_ERROR = 0.30
"""Choice: rates that leave 30 % of error in the middle sale explain too little to divide a value by."""
BUILDING_LIFE_YEARS = 40.0
"""Choice: the age at which a building's excess over an old one has fallen to 37 %; economic lives of 40 to 60 years are
usual in cost tables."""
