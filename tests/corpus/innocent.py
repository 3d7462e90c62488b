"""Values that look a little like secrets and are none: each must be recorded as it is."""

import base64
import hashlib
import json
import random
import uuid
from typing import Any

_random = random.Random(20240229)


def _named(value: Any, names: str) -> list[dict[str, Any]]:
    return [{name: value} for name in names.split()]


NAMES = [
    *_named(
        "a short text",
        """
        session_notes author authors authority co_author secretary secretariat tokenizer
        tokenization keyboard keynote monkey donkey turkey passenger passage passive compass
        password_policy password_hint passport_country cookie_policy cookie_banner
        cookieless secretary_name authorization_url authorization_endpoint auth_method
        auth_mode api_key_id api_key_name secret_name credential_type token_type
        access_token_url private_key_path private_key_file key primary_key foreign_key
        sort_key partition_key public_key keys token tokens next_token page_token session
        session_id sessionId user username description header_title basic bearer digest
        signature certificate credentialing incredible password_field password_label
        password_placeholder accreditation bypass_reason surpass trespass keyword keywords
        hotkey key_points secret_type apikey_name oauth_provider authenticated_user
        authenticator
        """,
    ),
    *_named(
        17,
        """
        token_count max_tokens tokens total_tokens prompt_tokens completion_tokens
        cached_tokens token_limit tokenCount maxTokens password_length password_min_length
        password_attempts secret_count num_secrets key_count access_token_ttl
        access_token_expires_in refresh_token_expires_at cookie_count author_id passes
        passed pass_count
        """,
    ),
    *_named(
        True,
        """
        password_required has_password is_secret requires_api_key password secret
        credentials authorization cookies_enabled api_key auth token
        """,
    ),
    *_named(
        None,
        """
        password api_key access_token client_secret cookie authorization auth
        """,
    ),
    *_named(
        "",
        """
        password secret api_key
        """,
    ),
]

STRUCTURES: list[Any] = [
    {"required": ["username", "password"]},
    {"fields": ["password", "username", "email"]},
    {"columns": [["id", "int"], ["author", "text"]]},
    {"name": "password", "type": "string", "in": "query"},
    {"name": "token_count", "value": 12},
    {"name": "author", "value": "Jo"},
    {"password": {"type": "string", "minLength": 8, "description": "At least 8 characters."}},
    {"properties": {"api_key": {"type": "string"}, "token": {"type": "string", "title": "T"}}},
    {"parameters": {"secret": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
    {"auth": "oauth2"},
    {"auth": {"type": "none"}},
    {"token": "Hello"},
    {"token": " world"},
    {"token": "internationalization"},
    {"tokens": ["The", " quick", " brown", " fox"]},
    {"usage": {"input_tokens": 1234567890, "output_tokens": 9}},
    {"logprobs": [{"token": "pass", "logprob": -0.1}, {"token": "word", "logprob": -1.5}]},
    {"type": "bytes", "length": 4, "head": b"\x89PNG".hex()},
    {"body": {"type": "bytes", "length": 900, "head": (b"GIF89a" + bytes(range(58))).hex()}},
    {"headers": [["Accept", "*/*"], ["Content-Type", "application/json"]]},
    {"headers": [{"name": "Accept", "value": "text/html"}]},
    {"argv": ["git", "--author", "Jo", "log"]},
    {"argv": ["--max-tokens", "100"]},
    {"error_type": "PermissionError", "message": "password is wrong", "stacktrace": ""},
    {"password": "[redacted]"},
    [],
    {},
    [[], [[]]],
    [None, True, 0, -1.5],
]

PROSE = """
Reset your password: click here to choose a new one.
Please reset your password.
The password is case sensitive and must have at least 8 characters.
Your password must be 8-16 characters long.
Password: required
Password: minimum 8 characters, one digit
password: must not be empty
Forgot password? Ask an administrator.
I forgot my password, can you help me?
Never share your password or API key with anyone.
How do I rotate an API key in the console?
API keys: how to create, rotate and delete them
An API key: what is it good for?
The secret: patience and practice.
Secret: there is none.
The secret of good soup is time.
Secret ingredients: butter, salt and a little sugar
The secretary wrote the session notes for the author.
This token: "the", is a stop word
Each token is about four characters.
Tokens: 512 in, 128 out
token count: 1024
max_tokens=256, temperature=0.7
max_tokens: 4096
Used 12 tokens; 3 were cached.
Bearer token authentication is described in RFC 6750.
Use bearer tokens for authentication.
The bearer of this letter is my friend.
Bearer bonds and bearer shares are securities.
Basic authentication is not secure.
Basic programming knowledge is needed.
basic training takes 8 weeks
Basic electronics for beginners
Authorization: see the chapter on roles
Authorization: required
authorization is denied by default
Cookie: a small biscuit
Cookie recipe: 200g flour, 100g butter
Cookies: we use them to remember your settings.
Do you accept cookies?
The key: listen to your users
Key findings: revenue grew by 12.5% in 2024
The keyword: innovation
Press any key: enter or space
key: value
Credentials: BSc, MSc and PhD
Her credentials are impressive.
The author's credentials: professor of law
Pass: 12, fail: 3
pass=12 fail=3
Passphrase: a sequence of words
The private key is kept in a safe.
Set the Authorization header to your key.
Login with user and password, then continue.
curl -u asks for a password
run it with --password to be asked for one
the --token flag is optional
--max-tokens 100 --author Jo
set --secret-name to the name of the secret
The meeting is at 12:30:45@room five
12:30:45@host.example.com
rtsp at 10:15:30@camera
Logged in at 2024-05-01T12:30:45.123456Z from 10.0.0.1
2024-02-29 23:59:59,999 INFO worker-12: started
jo@example.com
Jo Smith <jo.smith+lists@mail.example.co.uk>
mailto:jo@example.com?subject=Hello%20there
git@github.com:prefactor/example.git
ssh://git@github.com/prefactor/example.git
https://github.com/prefactor/example/blob/main/README.md#usage
https://example.com:8080/path
https://example.com:8080/users/jo@example.com
http://localhost:3000/?q=password+reset
https://example.com/reset-password?step=2
https://example.com/search?q=api+key&page=2&max_tokens=100
https://example.com/a?tokens=5&token_count=7&author=jo
https://example.com/list?page_token=CAUQAA&next_token=abc
https://example.com/?key=name&sort=asc
https://example.com/?code=404
https://user@example.com/path
http://[::1]:8080/a@b
http://127.0.0.1:4590/api/v1/bulk
ftp://ftp.example.com/pub/file.tar.gz
file:///home/jo/secret-santa.txt
postgres://localhost:5432/app
postgres://app@db.internal:5432/app
postgres://app:${DB_PASSWORD}@db/app
postgres://app:<password>@db/app
postgres://app:***@db/app
redis://cache:6379/0
s3://bucket/key/with/a/long/path/2024/05/01/part-00000.parquet
sqlite:////var/lib/app.db
wss://example.com:443/socket?room=12
ratio 3:4 and 16:9
C:\\Users\\jo\\secret\\file.txt
/etc/ssl/private/key.pem
/home/jo/.config/tokens.json
def login(user: str, password: str) -> bool:
def login(user, password=None): return check(user, password)
def f(*, api_key: str | None = None, token: Optional[str] = None) -> None: ...
class Settings(BaseSettings): api_key: SecretStr
connect(password=password, user=user)
connect(password=settings.password)
connect(password=get_password())
connect(password=os.environ["DB_PASSWORD"])
connect(api_key=os.getenv("OPENAI_API_KEY"))
api_key = os.environ["OPENAI_API_KEY"]
password = getpass.getpass()
password = input("Password: ")
password = None
secret = config.get("secret")
token = tokenizer.encode(text)
token = next(tokens)
tokens = text.split()
if password == expected: return True
if not password: raise ValueError("password is empty")
assert token.type == "NAME"
const { password } = req.body;
const token: string = await getToken();
password: string;
password?: string | null
interface User { name: string; password: string }
public string Password { get; set; }
SELECT id, password_hash FROM users WHERE author = 'Jo'
ALTER TABLE users ADD COLUMN password TEXT NOT NULL
<input type="password" name="password" placeholder="Password">
<label for="password">Password</label>
<author>Jo</author><tokens>12</tokens>
password: ${DB_PASSWORD}
`password`: `string`
**Password:** required
| `api_key` | `str` | the key |
("password", "required")
[("password", "Enter your password"), ("author", "text")]
os.getenv("API_KEY", "default-value-1")
config.get("password", "n/a")
password: Field(min_length=8)
password: "${DB_PASSWORD}"
password={{ db_password }}
password=<your password>
api_key="<your key>"
api_key=$OPENAI_API_KEY
api_key="..."
export OPENAI_API_KEY=$(pass show openai)
password=***
password: ********
"password": null
"password": ""
{"password": null, "max_tokens": 5}
{"session_notes": "fine", "author": "Jo", "token_count": 12}
{"type": "object", "properties": {"password": {"type": "string"}}}
{"role": "user", "content": "How do I reset my password?"}
[{"token": "a"}, {"token": "b"}]
secret-santa-2024
sk-loading-spinner-with-fading-circles
sk-learn-contrib-imbalanced
scikit-learn==1.4.2
task-force-management-system-2024
risk-assessment-and-mitigation-plan-v2
disk-usage-analyzer-for-large-volumes
npm_config_registry=https://registry.example.com
npm_lifecycle_event
hf_transfer
pypi-package-name-normalization
pk_live and rk_live are prefixes of keys.
Keys begin with sk-, ghp_ or xoxb-.
gho_ and ghp_ tokens
AKIA is how key ids begin
The prefix AIza is Google's.
eyJ is how a JWT begins
-----BEGIN CERTIFICATE----- begins a certificate
if "-----BEGIN PRIVATE KEY-----" in text: raise ValueError(text)
-----BEGIN PUBLIC KEY-----
----- password -----
==== tokens ====
AuTHoR
The oath: to tell the truth
authentication: none
auth: none
author: Jo Smith
authority=central
Mon, 01 Jan 2024 00:00:00 GMT
urn:uuid:123e4567-e89b-12d3-a456-426614174000
arn:aws:iam::123456789012:role/reader
sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
model=gpt-4o-mini-2024-07-18
claude-3-5-sonnet-20241022
text-embedding-3-small
Content-Type: multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0
ETag: "33a64df551425fcc55e4d42a148795d9f25f89d4"
+49 30 1234567
4111 is no card number
bcrypt is a password hash: use it
NaN
日本語のパスワードについて
Passwort vergessen? Klicken Sie hier.
Où est la clé secrète ?
🔑 keys and 🍪 cookies
""".strip("\n").splitlines()

_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIDXTCCAkWgAwIBAgIJAKL0UG+mRkmSMA0GCSqGSIb3DQ\n"
TEXTS = [
    _CERTIFICATE + "-----END CERTIFICATE-----\n",
    "line one\nline two\n\npassword\n\nline three: the end",
    "| name | tokens |\n|---|---|\n| a | 12 |",
    'Traceback (most recent call last):\n  File "auth.py", line 12, in login\n    check(password)',
    "import os\n\nPASSWORD_MIN_LENGTH = 12\nTOKEN_LIMIT = 4096\nAPI_KEY_HEADER = 'X-Api-Key'\n",
    json.dumps({"tools": [{"name": "login", "parameters": {"password": {"type": "string"}}}]}),
    "x" * 10_000,
    " " * 1_000,
    "\x00\ud800",
    "password",
    "=",
    ":",
    "password=",
    "password:",
    "?api_key=",
    "://",
    "Bearer ",
]

RANDOM = [
    *(str(uuid.UUID(int=_random.getrandbits(128), version=4)) for _ in range(20)),
    *(hashlib.md5(bytes([n])).hexdigest() for n in range(10)),
    *(hashlib.sha1(bytes([n])).hexdigest() for n in range(10)),
    *(hashlib.sha256(bytes([n])).hexdigest() for n in range(10)),
    *(base64.b64encode(_random.randbytes(3_000)).decode() for _ in range(20)),
    *("data:image/png;base64," + base64.b64encode(_random.randbytes(999)).decode()
      for _ in range(10)),
    *(base64.urlsafe_b64encode(_random.randbytes(60)).decode() for _ in range(10)),
    *([_random.random() for _ in range(8)] for _ in range(3)),
    *(_random.getrandbits(62) for _ in range(5)),
]  # fmt: skip

INNOCENT: list[Any] = [*NAMES, *STRUCTURES, *PROSE, *TEXTS, *RANDOM]
