"""Telling a webhook of a failed run, when AUDIENCE_WEBHOOK_URL is set. The address is a secret: it is never logged."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

VARIABLE = "AUDIENCE_WEBHOOK_URL"
_TIMEOUT_SECONDS = 5
# A chat program that restarts is back in seconds; a run that has ended should not wait longer.
_PAUSES_SECONDS = (1, 3)


def tell_webhook(message: Mapping[str, Any]) -> str | None:
    """Post `message`; None when it has arrived or nobody is to be told, else why it has not, without the address."""
    url = os.environ.get(VARIABLE)
    if not url:
        return None
    if not url.lower().startswith(("http://", "https://")):
        return f"{VARIABLE} is no http address"
    problem = ""
    for pause in (0, *_PAUSES_SECONDS):
        time.sleep(pause)
        try:
            _post(url, message)
            return None
        except urllib.error.HTTPError as error:
            problem = f"it answered {error.code}"
            if error.code < 500 and error.code != http.client.TOO_MANY_REQUESTS:
                break  # The same message will not please it later.
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem = type(error).__name__ if isinstance(error, ValueError) else f"{type(error).__name__} on the way"
    return problem


def _post(url: str, message: Mapping[str, Any]) -> None:
    request = urllib.request.Request(
        url, data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
        answer.read()
