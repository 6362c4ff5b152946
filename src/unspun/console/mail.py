"""Mail that the console sends, where unspun.toml names a server for it."""

from __future__ import annotations

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

LOG = logging.getLogger("unspun.mail")


def can_mail() -> bool:
    """Whether a mail server is configured."""
    return settings.SITE.mail is not None


def send(template: str, to: str, subject: str, context: dict[str, Any]) -> bool:
    """Send a message of text. False where no server is configured, or it did not take the message; the log says why."""
    if not can_mail():
        return False
    message = EmailMessage(" ".join(subject.split()), render_to_string(template, context), settings.DEFAULT_FROM_EMAIL, [to])
    return deliver(message)


def deliver(message: EmailMessage) -> bool:
    """Hand a message to the server. False where it did not take it."""
    try:
        return message.send() > 0
    except (SMTPException, OSError) as refusal:
        LOG.error("mail was not sent: %s", refusal)
        return False
