"""What is answered before the store is open: the process lives, and everything else is for later."""

from serving.http.starting import Doorway
from tests.serving.http.clients import AppClient


def test_a_service_that_is_starting_lives_and_is_not_ready():
    """Every answer says when to come back, and has the id of its request."""
    client = AppClient(Doorway())
    assert client.get("/livez").status_code == 200
    for path in ("/readyz", "/v1/lookup", "/"):
        response = client.get(path, headers={"X-Request-ID": "mine"})
        assert (response.status_code, response.json()["reason"]) == (503, "starting")
        assert (response.headers["X-Request-ID"], response.json()["request_id"]) == ("mine", "mine")
        assert int(response.headers["Retry-After"]) >= 1


def test_an_app_that_is_there_answers_everything():
    """The doorway is open from then on."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    doorway = Doorway()
    doorway.app = app
    assert AppClient(doorway).get("/livez").status_code == 204
