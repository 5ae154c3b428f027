"""Two who work at the desk, one who does not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests import factories


@pytest.fixture
def nina(db: None) -> User:
    return factories.staff_user("Nina", is_superuser=True)


@pytest.fixture
def tom(db: None) -> User:
    return factories.staff_user("Tom")


@pytest.fixture
def stranger(db: None) -> User:
    return factories.staff_user("Olga", is_staff=False)


@pytest.fixture
def as_nina(nina: User) -> Client:
    return logged_in(nina)


@pytest.fixture
def as_tom(tom: User) -> Client:
    return logged_in(tom)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    return logged_in(stranger)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
