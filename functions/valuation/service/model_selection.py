"""Selection of the model that values a class as of a day.

A model is of one valuation day, and of the market before it. For a later day its value is carried by its own price
trend, for as long as the county's settings say (half a year); for an earlier day it is not used, for it knows sales
that came after.
"""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Connection

from functions.valuation.repository import models
from functions.valuation.repository.models import TrainedRecord
from functions.valuation.repository.settings import settings
from shared.contracts.valuation import Flag
from shared.contracts.valuation_run import ModelOfClass
from shared.problems import Conflict, NotFound, Unprocessable

NO_CHAMPION = "no_champion"
NO_CHAMPION_OF_DAY = "no_champion_of_day"


def requested_model(connection: Connection, county_id: str, model_id: UUID, on: date) -> TrainedRecord:
    """The model that a request names. Raises Unprocessable where there is none, or it does not fit the day."""
    record = models.find(connection, county_id, model_id)
    if record is None:
        raise Unprocessable(
            f"{county_id} has no trained model {model_id}.", pointer="/model_id", slug="model-not-trained"
        )
    if on < record.valuation_date:
        raise Unprocessable(
            f"The model is of {record.valuation_date}: for an earlier day it knows sales that came after.",
            pointer="/valuation_date",
            slug="valuation-date-before-model",
        )
    carry = _max_carry(connection, county_id)
    if on > record.valuation_date + carry:
        raise Unprocessable(
            f"The model is of {record.valuation_date}; its values are carried for {carry.days} days at most, as the"
            " county's settings say (plugin_settings.valuation.carry_days). Train one for this day.",
            pointer="/valuation_date",
            slug="valuation-date-not-covered",
        )
    return record


def champion(connection: Connection, county_id: str, property_class: str, on: date) -> TrainedRecord | None:
    """The champion that values a class as of a day, or None."""
    return models.champion_for(connection, county_id, property_class, on, on - _max_carry(connection, county_id))


def no_champion_flag(connection: Connection, county_id: str, property_class: str, on: date) -> Flag:
    """The flag that says why no champion values a class as of a day."""
    days = models.champion_days(connection, county_id, property_class)
    if not days:
        text = "no model has been promoted for the property's class: the value is by comparable sales alone"
        return Flag(code=NO_CHAMPION, text=text)
    nearest = min(days, key=lambda day: abs((day - on).days))
    last = nearest + _max_carry(connection, county_id)
    return Flag(
        code=NO_CHAMPION_OF_DAY,
        text=(
            f"the champion of the property's class is of {nearest} and gives values of {nearest} to {last}: as of {on}"
            " the value is by comparable sales alone"
        ),
    )


def models_by_class(
    connection: Connection, county_id: str, model_id: UUID | None, on: date
) -> tuple[ModelOfClass, ...]:
    """The models of a run, by class. Raises as `requested_model`, and Conflict where there is no champion at all."""
    if model_id is not None:
        record = requested_model(connection, county_id, model_id, on)
        return tuple(
            ModelOfClass(property_class=name, model_id=model_id) for name in record.property_classes or (None,)
        )
    champions = models.champions(connection, county_id, on, on - _max_carry(connection, county_id))
    if not champions:
        raise Conflict(
            f"No model has been promoted whose values can be carried to {on}: train one and promote it, or name one.",
            slug="no-champion",
        )
    return tuple(ModelOfClass(property_class=name or None, model_id=model) for name, model in champions.items())


def _max_carry(connection: Connection, county_id: str) -> timedelta:
    return timedelta(days=settings(connection, county_id).carry_days)


def planned_model(connection: Connection, county_id: str, model_id: UUID) -> TrainedRecord:
    """The model of a run's plan. Raises NotFound."""
    record = models.find(connection, county_id, model_id)
    if record is None:
        raise NotFound(f"{county_id} has no trained model {model_id}.", slug="model-not-found")
    return record
