"""The automated valuation model: four models of one county's sales, reconciled. Arrays in, results out; no I/O.

training.train(sales, on, seed=0)            -> model.TrainedModel, of the sales before the valuation day (ordinal) `on`
    .predict(subjects, on=None)              estimate, 80 % interval, confidence; NaN where it cannot value
    .contributions(subjects)                 dollars by feature, which add up to the estimate
    .value(subjects) -> Valuations           both, with the comparables, flags and refusals: for many properties
    .explain(subject) -> Appraisal           one property in full; AppraisalInputError for one that has no value
    on: a day to carry the values to by the trend, by default the model's own
    .holdout, .features, .rows, .excluded, .weights, .valuation_day, .seed
artifact.dump(model) -> bytes, load(bytes)   an artifact without code in it; ArtifactError for a damaged or foreign one
"""
