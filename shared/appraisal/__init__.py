"""Statistics and models of mass appraisal: arrays in, results out. No I/O. A process imports the parts that it uses.

ratio_study.study(estimate, sale_price, uniformity)   a ratio study: statistics, intervals, verdicts
time_trend.fit_time_trend(day, log_price, on)         factors from sale dates to a valuation date
comparables.fit_comparables(sales, on)                a model: predict(subjects)
explanation.explain(model, subject)                   one of its values told
market_index.fit_market(sales)                        a constant-quality market: its monthly index(), its trend(on)
repeat_sales.repeat_sales_index(pairs)                a price index of properties sold twice
avm                                                   the automated valuation model
"""
