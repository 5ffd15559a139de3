"""Settings of signing in: passwords, the second factor, identity providers, failures.

django-allauth does the work, by our own pages. README.md has the table of variables.
"""

import os

from mcm import env, oidc

_VALIDATORS = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _VALIDATORS + "UserAttributeSimilarityValidator"},
    {"NAME": _VALIDATORS + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": _VALIDATORS + "CommonPasswordValidator"},
    {"NAME": _VALIDATORS + "NumericPasswordValidator"},
]
# New hashes are made by the first; the second opens those of earlier versions.
PASSWORD_HASHERS = [
    "mcm.passwords.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# Who must have a second factor besides the password.
SECOND_FACTOR = env.one_of("MCM_SECOND_FACTOR", "optional", ("optional", "admins", "all"))
# Failures of one name within five minutes until it must wait; of one address, ten times as many.
_FAILURES = env.integer("MCM_LOGIN_FAILURES", 5, least=2, most=100)
ACCOUNT_ADAPTER = "teams.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_UNIQUE_EMAIL = False
ACCOUNT_USERNAME_MIN_LENGTH = 1
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PRESERVE_USERNAME_CASING = True
ACCOUNT_RATE_LIMITS = {
    "login": "300/m/ip",
    "login_failed": f"{_FAILURES}/5m/key,{10 * _FAILURES}/5m/ip",
}
MFA_ADAPTER = "teams.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "MCM"
# The code before and the one after are taken, too (RFC 6238, 5.2): who types slowly, or whose clock
# is a little off, is let in.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "activate_totp": "teams.forms.ActivateForm",
    "authenticate": "teams.forms.CodeForm",
    "reauthenticate": "teams.forms.ConfirmCodeForm",
}
SOCIALACCOUNT_ADAPTER = "teams.adapters.ProviderAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"APPS": oidc.providers("MCM_OIDC_PROVIDERS", os.environ)}
}
# A link, not a form: the policy would hold up a form's way to the provider and on from there.
SOCIALACCOUNT_LOGIN_ON_GET = True
# How many proxies in front of MCM add to X-Forwarded-For: failures are counted by address.
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.boolean("MCM_BEHIND_PROXY", False))
