"""The exercise as it is often written in Python: FastAPI and confluent-kafka, and each request flushes its own event.

It has no store, so it forgets what it has answered.
"""

import json
import os
import socket
import uuid
from datetime import datetime, timezone

import uvicorn
from confluent_kafka import Producer
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

producer = Producer(
    {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "acks": "all",
        "enable.idempotence": True,
        # The flush sends at once; waiting for more messages would only delay it.
        "linger.ms": 0,
    }
)
app = FastAPI()


class CreateOrder(BaseModel):
    order_id: str = Field(pattern=r"^(ORD-)?[0-9]{1,64}$")
    number_of_items: int = Field(ge=1, le=1000)


@app.post("/create-order")
def create_order(body: CreateOrder):
    now = datetime.now(timezone.utc).isoformat()
    order_id = f"ORD-{body.order_id}"
    items = [{"item_id": f"ITEM-00{n}", "quantity": 2, "price": 75.5} for n in range(body.number_of_items)]
    event = {
        "event_id": str(uuid.uuid4()),
        "event_type": "ORDER_CREATED",
        "timestamp": now,
        "order_id": order_id,
        "order": {
            "order_id": order_id,
            "customer_id": "CUST-00042",
            "order_date": now,
            "items": items,
            "total_amount": sum(item["quantity"] * item["price"] for item in items),
            "currency": "USD",
            "status": "new",
        },
    }
    failures = []
    producer.produce(
        os.environ["ORDERS_TOPIC"],
        key=order_id,
        value=json.dumps(event),
        on_delivery=lambda error, _: failures.append(error) if error else None,
    )
    if producer.flush(5) > 0 or failures:
        raise HTTPException(status_code=503, detail="Kafka did not acknowledge the event")
    return {"message": "order created and published successfully", "orderId": order_id}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])
