"""The API is what its own description says: schemathesis asks it whatever the description allows, and more."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.core.events import Place
from gateway.desk.routing import Directory, Person, Role
from gateway.desk.server import serve
from gateway.desk.web.app import ENDPOINTS, WebServer
from gateway.desk.web.openapi import description
from tests.broker import listening
from tests.desk_cases import HERE, fill
from tests.desk_web import office, staff

EXAMPLES = 6
NOT_ASKED = {"/api/events", "/api/me/leave", "/api/pair"}
"""The stream never ends; after leaving the phone is out; and without a word nobody comes in."""


def root() -> Directory:
    """Return the staff and an administrator of everything."""
    base, name = staff(), "root-1"
    people = {**base.people, name: Person(name, "zh", (("phones", name),))}
    return Directory(people, (*base.roles, Role(name, "administrator", Place())), base.duties)


@contextmanager
def desk(where: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve a desk with something in it, and return its address and what a phone that is let in sends along."""
    ready: Future[tuple[str, dict[str, str]]] = Future()
    stops: list[Any] = []

    async def main() -> None:
        async with office(where, root()) as made:
            await fill(made, HERE)
            ticks = iter(range(1 << 30))
            made.parts.clock = lambda: float(next(ticks) * 10)  # who asks so much is not told to wait
            phone = await made.phone("root-1")
            with listening() as listener:
                url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                task = asyncio.create_task(serve(WebServer(made.parts), listener=listener))
                stops.append((asyncio.get_running_loop(), task))
                cookie = f"desk={phone.cookies['desk']}"
                ready.set_result((url, {"cookie": cookie, "x-desk": phone.headers["x-desk"]}))
                await asyncio.wait([task])

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(60)
    finally:
        for loop, task in stops:
            loop.call_soon_threadsafe(task.cancel)
        thread.join(30)


def operations(url: str) -> Iterator[Any]:
    """Yield all that the description of a desk has, as schemathesis reads it."""
    for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(result, Ok), result
        yield result.ok()


def test_whatever_is_asked_the_answer_is_one_the_description_knows(tmp_path: Any) -> None:
    checks: list[Any] = [status_code_conformance, content_type_conformance, response_schema_conformance]
    checks.append(CHECKS.get_one("not_a_server_error"))
    asked = 0
    with desk(str(tmp_path / "desk.db")) as (url, headers):
        for operation in operations(url):
            if operation.path in NOT_ASKED:
                continue
            asked += 1
            for mode in GenerationMode:
                _try(operation, mode, headers, checks)
    assert asked > 30


def _try(operation: Any, mode: GenerationMode, headers: dict[str, str], checks: list[Any]) -> None:
    """Ask one thing in many ways."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def tried(case: Any) -> None:
        answer = case.call(headers=headers)
        assert answer.status_code not in {401, 429}, answer.content
        case.validate_response(answer, checks=checks)

    tried()


def test_the_description_names_every_error_of_everything() -> None:
    described = description(ENDPOINTS)["paths"]
    assert len(described) > 30
    for path, operations_of in described.items():
        for operation in operations_of.values():
            assert {"200", "400", "401", "403", "404", "409", "429", "503"} <= set(operation["responses"]), (
                path
            )
