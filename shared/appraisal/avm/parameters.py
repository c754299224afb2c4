"""The numbers that decide about a model's value, its interval or its flags, each with its source or experiment.

"Choice": set without an experiment that is on record; `+-0.1` says that halving and doubling it moved the COD of later
sales (12.0) by less than that, and the middle value by about 0.5 % (2,400 sales of King County, tested on the 250 days
after). "Four counties": samples of 100 to 2,000 sales of King County, Lucas County, Seattle and Ames.
"""

# Selection of sales
MAX_PRICE_FACTOR = 20.0
"""A price per area farther from the median is no evidence at all: a deed for a dollar, a whole subdivision."""
IMPLAUSIBLE_FACTOR = 2.5
IMPLAUSIBLE_DEVIATIONS = 4.0
"""Choice: a price so far from the regression's, and beyond four robust deviations, is not of the property as it is
described. Hold-outs are tested with such sales all the same."""

# Hold-out
HOLDOUT_STARTS = (0.8, 0.9)
"""The last fifth of the sales in two steps: a year of five, with a model no older than half of it."""
MIN_HOLDOUT_SALES = 20
"""The standard's smallest sample for vertical equity; below, out-of-fold values are the test."""
MIN_SALES_TO_REWEIGHT = 200
"""Choice: as many held-out sales tell the weights of four models apart."""

# Error model
MIN_ERRORS = 20
"""The fewest out-of-fold errors of which the quantiles of an 80 % interval are more than the range."""
MIN_HOLDOUT_ERRORS = 100
"""From so many on the errors of later sales alone make the interval."""
PRIOR_OOF_ERROR_INFLATION = 1.15
PRIOR_INFLATION_SALES = 50.0
"""Errors of later sales are 1.15 times those of out-of-fold sales in four counties; that counts as 50 later sales. With
it 80 % intervals that held 75 % of later sales hold 80 %."""
DEVIATIONS_PER_MEAN = 1.2533
"""A normal error's standard deviation over its mean absolute size: the root of pi / 2."""

# Ensemble and reconciliation
PRIOR_WEIGHTS = (0.1, 0.1, 0.4, 0.4)
"""Regression, comparables, trees, network: roughly what the weights come to in four counties with sales enough."""
PRIOR_WEIGHT_SALES = 40.0
"""Sales' weight of the prior weights: the COD of 600 to 2,000 sales in four counties falls by 0.4 % of it."""
WEIGHT_STEPS = 10
"""Weights in tenths: finer ones move the COD by less than its error, and 286 sets can all be tried."""
MAX_OOF_SALES = 4000
"""More sales to weigh by move nothing that is read; each costs a search for comparables."""
VERTICAL_EQUITY_SCALES = (1.0, 1.0801, 0.005)
"""From, to, step of the factor by which values are spread about the typical one: at most 8 %, so that no county's
values are made of the correction."""
MAX_PRB = 0.015
"""The least scale is taken that brings the PRB as near to 0: well within the standard's 0.05, so that a sample of
later sales stays in it too. The price is up to 0.1 of COD in the demo counties and 0.3 in Seattle."""
MIN_SALES_TO_SCALE = 200
"""Choice: of fewer the PRB's standard error is as large as what is to be corrected."""
SHIFT_SHRINKAGE = 50.0
"""Sales' weight of no shift: the median ratio of 50 sales has an error of about 2 %. Choice."""

# Flags
TYPICAL_QUANTILES = (0.005, 0.995)
"""`unusual_attribute`: outside what 99 in 100 sales have."""

# Predictors
ENCODING_SHRINKAGE = 10.0
"""Sales' weight of no effect in a code's target encoding. Choice, +-0.1."""
ENCODING_FOLDS = 10
"""The usual number of folds of a target encoding."""
MAX_RESIDUAL = 1.5
"""Log residuals are clipped at a factor of 4.5. Choice, +-0.1."""
ROTATIONS_DEGREES = (22.5, 45.0, 67.5)
"""Trees can only cut square; with these, local regressions and traits beyond the surroundings, the out-of-fold COD of
the trees falls from 10.88 to 10.76 (King County) and from 22.16 to 22.04 (Lucas County)."""
NEAREST_SALES = (5, 15, 50)
"""The block, the street's surroundings, the neighborhood; with the rotations, above."""
DISTANCE_SOFTENING_KM = 0.1
"""Added to a distance before its inverse is the weight: sales of one building do not decide alone. Choice, +-0.1."""
MAX_TRAIT_DEVIATIONS = 3.5
"""Traits are compared within 3.5 deviations, the usual limit of a modified z-score (Iglewicz and Hoaglin 1993)."""
LOCAL_REGRESSION_SALES = 150
LOCAL_WIDTH_KM = 0.15
LOCAL_CONSTANT_PENALTY = 0.5
LOCAL_SLOPE_PENALTY = 3.5
"""The 150 nearest sales, the narrowest width of their weights, and the ridge penalties: chosen by five folds of each
demo county's training sales (see the rotations); halved and doubled +-0.1."""

# Loss
LOSS_SCALE = 0.1
"""Beyond a tenth of the price an error counts for its size, not its square (pseudo-Huber). Choice, +-0.1."""
MAX_LOG_ERROR = 1.0
"""Errors beyond a factor of e count as such, so that a deed for a dollar has no more say than another outlier."""

# Gradient-boosted trees
BOOSTING_ROUNDS = (200, 400)
SALES_PER_ROUND = 10
TOTAL_LEARNING_RATE = 18.0
"""Rounds between bounds by the number of sales; learning rate times rounds is 18: a rate of 0.045 to 0.09. More rounds
at a lower rate earned nothing in five folds of the demo counties. Halved and doubled +-0.1."""
BOOSTING_DRAWS = 2
"""The mean of two draws takes out half of what is chance in one."""
BOOSTING_FOLDS = 4
"""Choice: trees without a quarter of the sales are weighed; five fits of the trees in all."""
SALES_PER_BIN = 40
HISTOGRAM_BINS = (32, 96)
"""Few sales bear no fine bins: those cost time and say nothing."""
TREE_DEPTH = 6
"""Six deep are as good as eight deep in five folds of the demo counties, and cost a third less."""
MIN_CHILD_WEIGHT = 20.0
SUBSAMPLE = 0.7
COLUMN_SAMPLE = 0.4
TREE_L2 = 10.0
"""Strong regularization for some eighty predictors, chosen by the same five folds. Each halved or doubled +-0.1."""

# Neural network
NETWORK_MEMBERS = 4
"""Each is fitted without another quarter of the sales."""
HIDDEN_WIDTH = 128
EPOCHS = 20
BATCH_SIZE = 256
MIN_STEPS = 400
LEARNING_RATE = 2e-3
WARMUP_STEPS = 100
WEIGHT_DECAY = 0.1
DROPOUT = 0.2
"""Chosen when the network became the fourth model: 0.15 to 0.2 of COD less in validation, less than 0.1 on the test
sales of the demo counties. Each halved or doubled +-0.1."""
ADAM_MOMENTA = (0.9, 0.999)
ADAM_EPSILON = 1e-8
"""Kingma and Ba (2015)."""
FIRST_OUTPUT_SCALE = 0.1
"""Choice: the network starts near the mean."""
MAX_TARGET_DEVIATION = 1.0
"""The target's deviation is measured within a factor of e of the mean."""
PATH_POINTS = 4
"""Points of the Gauss-Legendre rule along a path; what they miss is dealt out, so that sums are exact."""
NETWORK_BINS = 32
"""Quantile bins of a number (Gorishniy, Rubachev and Babenko 2022 use 2 to 256). Choice, +-0.1."""
MIN_BIN_DEVIATION = 0.05
LEVEL_DEVIATION = 0.5
"""The least deviation that bins are standardized by, and that of every level. Choices, +-0.1."""
