"""A webhook on the running platform: from the end of a job, by event and machine, to a receiver over TLS."""

import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread

from terrafusion import Client
from tests.e2e.conftest import Platform

ARRIVES_WITHIN_S = 60


def test_the_end_of_a_job_arrives_at_a_countys_program(
    platform: Platform, loopback_certificate: tuple[ssl.SSLContext, Path]
) -> None:
    arrived: Queue[tuple[str, bytes]] = Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            arrived.put((self.headers["webhook-id"], self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None: ...  # noqa: A002 - the server's name

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server,
        Client(platform.address, username="itadmin", password=platform.passwords["itadmin"]) as client,
    ):
        server.socket = loopback_certificate[0].wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        king = client.county("king_wa")
        address = f"https://127.0.0.1:{server.server_port}/terrafusion"
        hook = king.register_webhook({"url": address, "events": ["job.succeeded"], "job_kinds": ["gis_export"]})

        job = king.export_layers({"layers": ["parcels"], "format": "geojson", "bbox": [-122.4, 47.6, -122.3, 47.7]})
        job.wait(timeout=120)
        first_id, message = arrived.get(timeout=ARRIVES_WITHIN_S)
        (delivery,) = king.deliveries(hook.webhook_id)
        king.replay_delivery(hook.webhook_id, delivery.delivery_id)
        second_id, _ = arrived.get(timeout=ARRIVES_WITHIN_S)
        king.delete_webhook(hook.webhook_id)
        server.shutdown()

    assert json.loads(message)["data"]["id"] == job.job_id
    assert first_id == second_id == delivery.delivery_id
