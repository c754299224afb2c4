"""The service behind the gateway that this architecture replaces: FastAPI on asyncpg."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException, Response

from functions.properties.schemas.parcels import PropertyDetail

QUERY = os.environ["PEER_QUERY"]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(os.environ["PEER_DSN"], min_size=1, max_size=2, init=_read_json)
    yield
    await app.state.pool.close()


async def _read_json(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


app = FastAPI(lifespan=lifespan)


@app.get("/v1/counties/{county_id}/properties/{property_id}")
async def get_property(county_id: str, property_id: str, response: Response) -> PropertyDetail:
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT set_config('app.county_id', $1, true)", county_id)
        row = await connection.fetchrow(QUERY, county_id, property_id)
    if row is None:
        raise HTTPException(404)
    response.headers["ETag"] = f'"{row["version"]}"'
    return PropertyDetail.model_construct(**row)
