"""The OpenAPI document: what it describes is what is answered, whatever is asked."""

import os
from collections import Counter

import hypothesis
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serving.http.running import Running, status_of

# Per operation that takes anything, once of what the document allows and once of what it does not;
# FIRSTSEEN_SCHEMATHESIS_CASES asks for a longer run.
CASES = int(os.environ.get("FIRSTSEEN_SCHEMATHESIS_CASES", "40"))
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def test_whatever_is_asked_is_answered_as_the_document_says(service: Running):
    """No case that schemathesis makes is answered with a 500, or otherwise than the document describes."""
    schema = schemathesis.openapi.from_url(f"{service.address}/openapi.json")
    answered = Counter(
        status
        for operation in schema.get_all_operations()
        for mode in MODES
        for status in ask(operation.ok(), mode, CASES)
    )
    print(f"{answered.total()} cases: {dict(answered)}")
    assert answered.total() >= 5 * CASES
    assert answered[500] == 0
    assert {200, 404, 422} <= set(answered)
    assert status_of(f"{service.address}/readyz") == 200


def ask(operation: schemathesis.APIOperation, mode: GenerationMode, cases: int) -> list[int]:
    """Sends made-up requests of one operation, and returns the statuses of the answers, which keep to the document."""
    statuses = []
    settings = hypothesis.settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )

    @settings
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        response = case.call(timeout=30)
        statuses.append(response.status_code)
        # A number that may be a snapshot's next: the store is looked at, and whoever asked is told to come again.
        is_passing = response.status_code == 503 and response.json()["reason"] == "snapshot_not_loaded"
        case.validate_response(response, checks=CHECKS if is_passing else [not_a_server_error, *CHECKS])

    try:
        send()
    except hypothesis.errors.Unsatisfiable:  # an operation that takes nothing cannot be given anything wrong
        assert mode is GenerationMode.NEGATIVE
    return statuses
