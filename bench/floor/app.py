"""The floor: the least a Django server can do for a saved, streamed chat. One view, two INSERTs, no tenants, no users.

It relays the model's stream token by token and keeps question and answer. What the platform costs beyond this is the
price of everything it does besides.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

import django
import httpx2
from asgiref.sync import sync_to_async
from django.conf import settings

_database = urlsplit(os.environ["FLOOR_DATABASE_URL"])
settings.configure(
    SECRET_KEY="floor",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="bench.floor.app",
    INSTALLED_APPS=[],
    MIDDLEWARE=[],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": _database.hostname,
            "PORT": _database.port,
            "USER": unquote(_database.username or ""),
            "PASSWORD": unquote(_database.password or ""),
            "NAME": _database.path.lstrip("/"),
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 10, "timeout": 20}},
        }
    },
)
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

_model = httpx2.AsyncClient(
    base_url=os.environ["FLOOR_MODEL_URL"], limits=httpx2.Limits(max_connections=500), timeout=60, trust_env=False
)


class Message(models.Model):
    """What was said, and by whom."""

    role = models.CharField(max_length=10)
    text = models.TextField()

    class Meta:
        app_label = "floor"


def _make_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS floor_message (id bigserial PRIMARY KEY, role text, text text)")
    connection.close()


def _save(role: str, text: str) -> None:
    Message(role=role, text=text).save()
    # Or the stream would hold the connection while it waits for the model.
    connection.close()


async def chat(request: HttpRequest) -> StreamingHttpResponse:
    """`{"content": …}` in; `data: {"text": …}` for each token out."""
    content = json.loads(request.body)["content"]
    await sync_to_async(_save)("contact", content)
    return StreamingHttpResponse(_relay(content), content_type="text/event-stream")


async def _relay(content: str) -> AsyncIterator[str]:
    answer: list[str] = []
    asked = {"model": os.environ["FLOOR_MODEL"], "stream": True, "messages": [{"role": "user", "content": content}]}
    async with _model.stream("POST", "/chat/completions", json=asked) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: {"):
                continue
            choices = json.loads(line[6:])["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                answer.append(text)
                yield f"data: {json.dumps({'text': text})}\n\n"
    await sync_to_async(_save)("agent", "".join(answer).strip())


_make_table()
urlpatterns = [path("chat", chat), path("healthz", lambda request: HttpResponse("ok"))]
application = get_asgi_application()
