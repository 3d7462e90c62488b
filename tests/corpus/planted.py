"""Secrets in every position that they were found in: each must be gone from what is recorded."""

import base64
import binascii
import json
import re
import traceback
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

KNOWN = "Zq7/known+Val=ue 81"
"""A secret that nothing but its value gives away; registered before the corpus is redacted."""

NON_ASCII = 'pässwört"\\2024'
"""Another, which JSON and code write in several ways."""


class Planted(NamedTuple):
    """One planted secret.

    Attributes:
        where: The position, in words.
        payload: What is recorded.
        secrets: What must not show.
    """

    where: str
    payload: dict[str, Any]
    secrets: tuple[str, ...]


# Put together from parts, so that no scanner of source code takes them for real ones.
OPENAI = "sk-" + "proj-T3BlbkFJ0aZ9yX8wV7uT6sR5qP4oN3mL2kJ1iH0"
OPENAI_OLD = "sk-" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3"
ANTHROPIC = "sk-" + "ant-api03-Q2w3E4r5T6y7U8i9O0p1A2s3D4f5G6h7J8k9-AA"
GITHUB = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
GITHUB_PAT = "github_" + "pat_11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ0123456789"
SLACK = "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx"
AWS_ID = "AKIA" + "IOSFODNN7EXAMPLE"
AWS_TEMPORARY_ID = "ASIA" + "Y34FZKBOKMUTVV7A"
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
GOOGLE = "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
GITLAB = "glpat" + "-x1Y2z3A4b5C6d7E8f9G0"
HUGGING_FACE = "hf" + "_aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567"
NPM = "npm" + "_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
PYPI = "pypi" + "-AgEIcHlwaS5vcmcCJDAwMDAwMDAwLTAwMDAtMDAwMC0wMDAw"
SENDGRID = "SG" + ".aB3dE5fG7hJ9kL1mN3pQ5r.S7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3vW"
STRIPE = "rk" + "_live_51HqLyjWDarjtT1zdp7dcA1b2"
STRIPE_PUBLIC = "pk" + "_live_51HqLyjWDarjtT1zdp7dcC3d4"
TELEGRAM = "110201543" + ":AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    ".eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0"
    ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)
PEM_BODY = "MIIEpAIBAAKCAQEA7bq0aZ9yX8wV7uT6sR5q\nP4oN3mL2kJ1iH0gG9fF8eE7dD6cC5bB4aA3=="
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----\n"
OPAQUE = "vT9pQ2xL5r"
"""Nothing shows what it is but the place where it stands."""

WORD = "correcthorse"
"""A password without a digit."""


def _planted(where: str, value: Any, *secrets: str) -> Planted:
    return Planted(where, value if type(value) is dict else {"value": value}, secrets)


BY_NAME = [
    _planted(f"argument {name}", {name: WORD}, WORD)
    for name in (
        "password", "passwd", "pwd", "db_password", "dbPassword", "DB-PASSWORD", "PGPASSWORD",
        "passphrase", "secret", "client_secret", "clientSecret", "api_key", "apikey", "apiKey",
        "APIKey", "OPENAI_API_KEY", "x-api-key", "X-API-Key", "authorization", "Authorization",
        "Proxy-Authorization", "cookie", "Cookie", "set-cookie", "Set-Cookie", "access_token",
        "accessToken", "refresh_token", "id_token", "auth_token", "session_token", "private_key",
        "privateKey", "aws_secret_access_key", "credential", "credentials", "secret_key",
        "SECRET_KEY_BASE", "webhook_secret", "signing.key", "password_hash", "api_keys", "otp",
    )
]  # fmt: skip

IN_JSON = [
    _planted("nested", {"a": [{"b": {"config": {"db": {"password": OPAQUE}}}}]}, OPAQUE),
    _planted("number", {"password": 4711471147}, "4711471147"),
    _planted("list under a name", {"api_keys": [OPAQUE, WORD]}, OPAQUE, WORD),
    _planted("mapping under a name", {"credentials": {"user": WORD, "n": [OPAQUE]}}, OPAQUE, WORD),
    _planted("cookies", {"cookies": {"sid": OPAQUE, "theme": "dark"}}, OPAQUE),
    _planted("header mapping", {"headers": {"Authorization": f"Bearer {OPAQUE}"}}, OPAQUE),
    _planted("header list", {"headers": [["Accept", "*/*"], ["Authorization", WORD]]}, WORD),
    _planted("header records", {"headers": [{"name": "Authorization", "value": WORD}]}, WORD),
    _planted("cloud tags", {"env": [{"Key": "DB_PASSWORD", "Value": WORD}]}, WORD),
    _planted(
        "header list of bytes",
        {
            "headers": [
                [
                    {"type": "bytes", "length": 13, "head": b"authorization".hex()},
                    {"type": "bytes", "length": 17, "head": b"Bearer vT9pQ2xL5r".hex()},
                ]
            ]
        },
        OPAQUE,
        OPAQUE.encode().hex(),
    ),
    _planted("bytes", {"body": {"type": "bytes", "length": 40, "head": GITHUB.encode().hex()}},
             GITHUB.encode().hex()),
    _planted("beginning of bytes", {"body": {"type": "bytes", "length": 9000,
             "head": KNOWN[:15].encode().hex()}}, KNOWN[:15].encode().hex()),
    _planted("basic pair", {"auth": ["me", OPAQUE]}, OPAQUE),
    _planted("token that looks like one", {"token": "f3a9c1d7e5b2048696a1"},
             "f3a9c1d7e5b2048696a1"),
    _planted("command line", ["mysql", "--password", WORD, "-h", "db"], WORD),
    _planted("schema with a default", {"password": {"type": "string", "default": WORD}}, WORD),
    _planted("dict key", {OPENAI: 1, "seen": {GITHUB: {JWT: True}}}, OPENAI, GITHUB, JWT),
    _planted("known dict key", {"users": {KNOWN: 3}}, KNOWN),
    _planted("key under a name", {"secrets": {KNOWN: OPAQUE}}, KNOWN, OPAQUE),
]  # fmt: skip

TOKENS = [
    (kind, token)
    for kind, token in {
        "OpenAI": OPENAI,
        "older OpenAI": OPENAI_OLD,
        "Anthropic": ANTHROPIC,
        "GitHub": GITHUB,
        "fine-grained GitHub": GITHUB_PAT,
        "Slack": SLACK,
        "AWS": AWS_ID,
        "temporary AWS": AWS_TEMPORARY_ID,
        "Google": GOOGLE,
        "GitLab": GITLAB,
        "Hugging Face": HUGGING_FACE,
        "npm": NPM,
        "PyPI": PYPI,
        "SendGrid": SENDGRID,
        "Stripe": STRIPE,
        "Stripe publishable": STRIPE_PUBLIC,
        "Telegram": TELEGRAM,
        "JWT": JWT,
    }.items()
]

SHAPES = [
    _planted(f"{kind} token {where}", before + token + after, token)
    for kind, token in TOKENS
    for where, before, after in [
        ("alone", "", ""),
        ("in prose", "Use my key ", ", it works. Thanks!"),
        ("in a JSON text", '{"messages": [{"content": "', '"}]}'),
        ("behind an escaped line break", "line one\\n", "\\nline two"),
        ("in a query", "https://api.test/v1?x=", "&y=2"),
    ]
]

URLS = [
    _planted("URL userinfo", f"https://me:{OPAQUE}@api.test:8443/v1", OPAQUE),
    _planted("URL userinfo without user", f"redis://:{WORD}@cache:6379/0", WORD),
    _planted("DSN with @ in the password", "postgres://app:p@ss-vT9pQ2xL@db/x", "p@ss-vT9pQ2xL"),
    _planted("DSN with / in the password", "postgres://app:vT9/pQ2xL5@db/x", "vT9/pQ2xL5"),
    _planted("driver DSN", f"postgresql+asyncpg://app:{WORD}@db.internal/app?ssl=1", WORD),
    _planted("several hosts", f"mongodb+srv://app:{OPAQUE}@a.test,b.test/x", OPAQUE),
    _planted("token as the user", f"https://{OPAQUE}a1b2c3d4e5@github.com/me/repo.git",
             f"{OPAQUE}a1b2c3d4e5"),
    _planted("query key", f"https://api.test/v1?api_key={WORD}&page=2", WORD),
    _planted("later query key", f"https://api.test/v1?page=2&access_token={OPAQUE}#top", OPAQUE),
    _planted("signed URL", f"https://b.s3.test/o?X-Amz-Expires=60&X-Amz-Signature={OPAQUE}99",
             OPAQUE),
    _planted("form", f"grant_type=password&username=me&password={WORD}", WORD),
    _planted("webhook", "https://hooks.slack.com/services/T00000000/B00000000/vT9pQ2xL5rAA",
             "vT9pQ2xL5rAA"),
    _planted("key DSN", f"Server=db;Database=x;Uid=me;Password={WORD} two;Port=1", WORD),
    _planted("libpq DSN", f"host=db user=me password={WORD} dbname=x", WORD),
    _planted("Azure DSN", f"AccountName=x;AccountKey={AWS_SECRET}==;EndpointSuffix=a", AWS_SECRET),
]  # fmt: skip

TEXTS = [
    _planted("header text", f"GET / HTTP/1.1\r\nAuthorization: Bearer {WORD}\r\nHost: x", WORD),
    _planted("header with a scheme", f"Authorization: Token {OPAQUE}", OPAQUE),
    _planted("basic header", "Authorization: Basic bWU6dlQ5cFEyeEw1cg==", "bWU6dlQ5cFEyeEw1cg"),
    _planted("basic alone", "sent Basic bWU6dlQ5cFEyeEw1cg== to x", "bWU6dlQ5cFEyeEw1cg"),
    _planted("bearer in prose", f"I sent 'Bearer {OPAQUE}' and got 401", OPAQUE),
    _planted(
        "digest header",
        f'Authorization: Digest username="me", realm="r", nonce="{OPAQUE}", response="66{OPAQUE}"',
        OPAQUE,
    ),
    _planted("AWS header", "Authorization: AWS4-HMAC-SHA256 Credential=a/b, Signature=fe5f80f77d5",
             "fe5f80f77d5"),
    _planted("cookie header", f"Cookie: theme=dark; sid={OPAQUE}", OPAQUE),
    _planted("set-cookie header", f"Set-Cookie: sid={OPAQUE}; Path=/; HttpOnly", OPAQUE),
    _planted("curl", f"curl -H 'X-Api-Key: {OPAQUE}' https://api.test", OPAQUE),
    _planted("curl user", f"curl -u me:{WORD} https://api.test", WORD),
    _planted("flag", f"deploy --api-key {OPAQUE} --region eu", OPAQUE),
    _planted("flag with =", f"deploy --password={WORD} --region eu", WORD),
    _planted("dotenv", f"DEBUG=1\nDB_PASSWORD={WORD}\nPORT=80", WORD),
    _planted("export", f'export API_KEY="{WORD}"', WORD),
    _planted("code", f'client = Client(api_key="{WORD}", timeout=3)', WORD),
    _planted("item in code", f"config['password'] = '{WORD}'", WORD),
    _planted("YAML", f"db:\n  user: me\n  password: {OPAQUE}\n", OPAQUE),
    _planted("quoted YAML", f"db:\n  password: '{WORD}'\n", WORD),
    _planted("INI", f"[db]\npassword = {OPAQUE}\n", OPAQUE),
    _planted("XML", f"<db><password>{WORD}</password></db>", WORD),
    _planted("prose with a colon", f"The API key: {OPAQUE} is yours.", OPAQUE),
    _planted("JSON text", json.dumps({"user": "me", "password": WORD}), WORD),
    _planted("JSON text within JSON text",
             json.dumps({"arguments": json.dumps({"api_key": WORD, "n": 1})}), WORD),
    _planted("JSON text in prose", f'called with {{"api_key": "{WORD}", "n": 1}} and failed', WORD),
    _planted("escaped JSON in prose", f'args="{{\\"secret\\": \\"{WORD}\\"}}"', WORD),
    _planted("list in JSON text", json.dumps({"secrets": [WORD, {"x": OPAQUE}]}), WORD, OPAQUE),
    _planted("header list in JSON text", json.dumps({"headers": [["Authorization", WORD]]}), WORD),
    _planted("number in JSON text", '{"a": 1, "pin_secret": 83465923, "b": 2', "83465923"),
    _planted("JSON text that was cut", f'{{"a": 1, "password": "{WORD}', WORD),
    _planted("quote in the value", r'x = {"password": "corr\"ecthorse9"} y', 'ecthorse9'),
    _planted("Python text", str({"password": WORD, "n": 1}), WORD),
    _planted("Python bytes", str({"password": WORD.encode()}), WORD),
    _planted("list of pairs as text", str([("Accept", "*/*"), ("X-Api-Key", OPAQUE)]), OPAQUE),
    _planted("pair of bytes as text", str([(b"authorization", b"vT9pQ2xL5r")]), OPAQUE),
    _planted("Markdown", f"**Password:** {OPAQUE}", OPAQUE),
    _planted("Markdown code", f"`password`: `{OPAQUE}`", OPAQUE),
    _planted("f-string", f"connect(password=f'{WORD}')", WORD),
    _planted("three quotes", f'password = """{WORD}"""', WORD),
    _planted("SecretStr in code", f"Settings(password=SecretStr('{WORD}'))", WORD),
    _planted("URL fragment", f"https://app.test/cb#access_token={OPAQUE}&state=1", OPAQUE),
    _planted("PEM", PEM, *PEM_BODY.split("\n")),
    _planted("PEM in JSON text", json.dumps({"key": PEM}), *PEM_BODY.split("\n")),
    _planted("PEM that was cut", PEM[:80], PEM_BODY[:40]),
    _planted("PEM of one line", PEM.replace("\n", " "), *PEM_BODY.split("\n")),
    _planted("OpenSSH key", PEM.replace("RSA", "OPENSSH"), *PEM_BODY.split("\n")),
    _planted("PGP key", "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\n" + PEM_BODY
             + "\n-----END PGP PRIVATE KEY BLOCK-----", *PEM_BODY.split("\n")),
]  # fmt: skip


def _error_payload() -> dict[str, Any]:
    try:
        try:
            raise ConnectionError(f"cannot reach postgres://app:{WORD}@db/x")
        except ConnectionError as error:
            raise RuntimeError(f"login with password='{OPAQUE}' failed for key {KNOWN}") from error
    except RuntimeError as error:
        return {
            "error_type": "RuntimeError",
            "message": str(error),
            "stacktrace": "".join(traceback.format_exception(error)),
        }


ERRORS = [
    _planted("exception, its cause and its trace", _error_payload(), WORD, OPAQUE, KNOWN),
    _planted(
        "trace text", {"stacktrace": f'  File "a.py", line 3\n    f(api_key="{WORD}")\n'}, WORD
    ),
    _planted("401 text", {"message": f"Incorrect API key provided: {OPENAI}."}, OPENAI),
]

_in_middle = base64.b64encode(b"x" + KNOWN.encode() + b"yy").decode()
KNOWN_VALUES = [
    _planted(f"known value {where}", f"{before}{text}{after}", text, KNOWN)
    for before, after in [("", ""), ("it is ", ", I think")]
    for where, text in {
        "as it is": KNOWN,
        "quoted for a URL": quote(KNOWN, safe=""),
        "quoted for a path": quote(KNOWN),
        "quoted for a form": quote_plus(KNOWN),
        "quoted in lower case": re.sub(
            "%..", lambda found: found[0].lower(), quote(KNOWN, safe="")
        ),
        "in base64": base64.b64encode(KNOWN.encode()).decode(),
        "in URL-safe base64": base64.urlsafe_b64encode(KNOWN.encode()).decode(),
        "in hexadecimal": binascii.hexlify(KNOWN.encode()).decode(),
    }.items()
]
KNOWN_VALUES += [
    _planted("known value in the middle of base64", _in_middle, _in_middle[2:26]),
    _planted("known value in JSON text", json.dumps({"x": NON_ASCII}), NON_ASCII[:6], "2024"),
    _planted("known value in UTF-8 JSON text", json.dumps({"x": NON_ASCII}, ensure_ascii=False),
             NON_ASCII[:6], "2024"),
    _planted("known value in code", f"x = {NON_ASCII!r}", NON_ASCII[:6], "2024"),
    _planted("known value in a word", f"prefix{KNOWN}suffix", KNOWN),
    _planted("known value, twice", f"{KNOWN}{KNOWN}", KNOWN),
    _planted("known number", {"account": 98127364551}, "98127364551"),
]  # fmt: skip

PLANTED = [
    *BY_NAME, *IN_JSON, *SHAPES, *URLS, *TEXTS, *ERRORS, *KNOWN_VALUES,
]  # fmt: skip
