"""A model of few sales with many attributes."""

from shared.appraisal.avm.training import train
from tests.integration.avm.known_counties import FEW, MANY, ON_LAST, wordy_county


def test_few_sales_with_many_attributes_give_intervals_of_their_nominal_coverage() -> None:
    sales = wordy_county().sales
    model = train(sales.take(FEW), ON_LAST)
    predicted = model.predict(sales.characteristics.take(MANY))
    price = sales.sale_price[MANY]
    assert 0.7 < ((predicted.low <= price) & (price <= predicted.high)).mean() < 0.95
