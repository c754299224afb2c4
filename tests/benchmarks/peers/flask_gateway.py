"""The gateway that this architecture replaces: Flask checks the token and passes the request on."""

import json
import os

import httpx
import jwt
from flask import Flask, Response, abort, request

app = Flask(__name__)
service = httpx.Client(base_url=os.environ["PEER_SERVICE"])
key = jwt.PyJWK(json.loads(os.environ["PEER_JWK"])).key


@app.get("/v1/counties/<county_id>/properties/<property_id>")
def pass_on(county_id: str, property_id: str) -> Response:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"])
    except jwt.InvalidTokenError:
        abort(401)
    if "terrafusion/view_properties" not in claims["scope"].split() or county_id not in claims["counties"].split():
        abort(403)
    answer = service.get(f"/v1/counties/{county_id}/properties/{property_id}")
    passed = {name: answer.headers[name] for name in ("content-type", "etag") if name in answer.headers}
    return Response(answer.content, answer.status_code, passed)
