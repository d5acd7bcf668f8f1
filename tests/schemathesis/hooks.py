"""Makes valid requests obey the rules that a JSON Schema cannot express, so that the services must accept all of them."""

from decimal import ROUND_DOWN, Decimal
from itertools import count

import schemathesis

WITHOUT_DECIMALS = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())
WITH_THREE = set("BHD IQD JOD KWD LYD OMR TND".split())
MAX_AMOUNT = 999_999_999_999_999

calls = count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    call = next(calls)
    # With the same few orders and keys, most requests would be refused as repeated ones. Only every fifth repeats one.
    is_new = call % 5 > 0
    if is_new and case.headers and "idempotency-key" in case.headers:
        tail = f"-{call}"
        case.headers["idempotency-key"] = case.headers["idempotency-key"][: 255 - len(tail)] + tail
    if case.operation.label == "GET /events/stream" and not (case.headers or {}).get("last-event-id"):
        # Otherwise there is nothing to read until the next event.
        case.headers["last-event-id"] = "0"
    if case.operation.label == "POST /create-order" and isinstance(case.body, dict):
        case.body = obedient(case.body)
        if is_new:
            case.body["order_id"] = f"ORD-{7_000_000 + call}"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Accepts the refusal of a valid request whose idempotency key came before with another request."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 422:
        return True
    return response.json()["code"] != "IdempotencyKeyReused"


def obedient(body):
    """The body with the right number of items, prices with the decimals of the currency, and a total that is exact."""
    items = body.get("items")
    if not items:
        return dict(body)
    currency = body.get("currency", "USD")
    exponent = 0 if currency in WITHOUT_DECIMALS else 3 if currency in WITH_THREE else 2
    unit = Decimal(1).scaleb(-exponent)

    def priced(item):
        highest = Decimal(MAX_AMOUNT // (len(items) * int(item["quantity"]))).scaleb(-exponent)
        price = min(Decimal(repr(item["price"])), highest).quantize(unit, rounding=ROUND_DOWN)
        return {**item, "price": int(price) if exponent == 0 else float(price)}

    obeying = {**body, "items": [priced(item) for item in items]}
    return {**obeying, "number_of_items": len(items)} if "number_of_items" in body else obeying
