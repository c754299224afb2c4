"""All that a page about a property shows."""

from functions.properties.repository import overview as repository
from functions.properties.schemas.overview import PropertyOverview
from shared.access import Caller, Permission
from shared.db import reading
from shared.db.tenancy import require_onboarded
from shared.problems import NotFound


def overview(county_id: str, property_id: str, path: str, caller: Caller) -> PropertyOverview:
    """A property and everything around it, as far as the caller may see it, in one round trip to the database.

    `path` is the property's address. Raises NotFound.
    """
    with reading(county_id) as connection:
        document = repository.overview(
            connection,
            county_id,
            property_id,
            view_valuation=caller.may(county_id, Permission.VIEW_VALUATION),
            see_confidential=caller.may(county_id, Permission.EDIT_PROPERTY),
        )
        if document is None:
            require_onboarded(connection, county_id)
            raise NotFound(f"{county_id} has no property {property_id}.", slug="property-not-found")
    links = {"self": path, **{name: f"{path}/{name}" for name in ("history", "sales", "improvements")}}
    return PropertyOverview.model_validate({**document, "links": links})
