"""The settings of the Django project, made of the environment and of unspun.toml; `unspun serve` sets the environment."""

from __future__ import annotations

from unspun.web.logs import configuration
from unspun.web.site import DEBUG_VARIABLE, read_site, truthy

SITE = read_site()
WORKSPACE = SITE.workspace
DEBUG = truthy(DEBUG_VARIABLE)
SECRET_KEY = SITE.secret_key
ALLOWED_HOSTS = list(SITE.hosts)
CSRF_TRUSTED_ORIGINS = list(SITE.origins)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "unspun.state.apps.StateConfig",
    "unspun.web.apps.WebConfig",
]
MIDDLEWARE = [
    "unspun.web.middleware.RequestMiddleware",
    "unspun.web.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "unspun.web.sessions.SessionRecordMiddleware",
    "unspun.web.reader.ReaderMiddleware",
    "unspun.web.rules.RouteRuleMiddleware",
    "unspun.web.refusals.RefusalMiddleware",
]
ROOT_URLCONF = "unspun.web.urls"
WSGI_APPLICATION = "unspun.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [SITE.console / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "unspun.console.templating.environment",
            "context_processors": ["unspun.console.shell.shell", "django.contrib.messages.context_processors.messages"],
        },
    },
]
DATABASES = {"default": SITE.database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"}}

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = WORKSPACE.folder / ".console" / "static"
STATICFILES_DIRS = [SITE.console / "static", SITE.console.parent / "reports" / "assets"]  # the reports' tokens, theme and font
STATICFILES_FINDERS = [
    "unspun.console.report_styles.ReportStyles",
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",  # allauth's scripts of security keys
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is stored by Django: uploads go to the workspace
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

AUTH_USER_MODEL = "state.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ("email", "name")}},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"

ACCOUNT_ADAPTER = "unspun.web.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an address is proved by its invitation
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SITE.https else "http"
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/300s/key", "reset_password": "20/m/ip,5/m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = SITE.proxies
PASSWORD_RESET_TIMEOUT = 24 * 3600

MFA_ADAPTER = "unspun.web.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = f"Unspun {WORKSPACE.settings.name}"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SITE.https  # browsers allow it for localhost only

SOCIALACCOUNT_ADAPTER = "unspun.web.adapters.CompanyAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": SITE.openid_connect()}
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True  # an address that the company's sign-in has checked is the person of that address
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"

EMAIL_BACKEND = f"django.core.mail.backends.{'dummy' if SITE.mail is None else 'smtp'}.EmailBackend"
if SITE.mail is not None:
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = SITE.mail.host, SITE.mail.port, SITE.mail.user, SITE.mail.password
    EMAIL_USE_TLS, EMAIL_USE_SSL = SITE.mail.security == "starttls", SITE.mail.security == "tls"
    EMAIL_TIMEOUT = 10
    DEFAULT_FROM_EMAIL = SITE.mail.sender

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "unspun_session"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE.https
CSRF_COOKIE_NAME = "unspun_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
APPEND_SLASH = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SITE.https and SITE.proxies else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SITE.https else 0
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "unspun.console.views.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000  # of what is no file; the whole of a request is bounded by the middleware
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000
DATA_UPLOAD_MAX_NUMBER_FILES = 50
LOGGING = configuration()
SILENCED_SYSTEM_CHECKS: list[str] = []
