"""One sample of every published format, built from parts so that no scanner finds a token here.

A template holds groups such as `{A36}`: a kind of characters and how many.  Kinds are `A` letters
and digits, `U` capitals and digits, `B` the base32 of RFC 4648, `h` hexadecimal, `H` the same in
capitals, `d` digits, `a` small letters and digits, `w` letters, digits, dash and underscore, `b`
base64, `g` a UUID.
"""

from __future__ import annotations

import hashlib
import re
import string

_KINDS = {
    "A": string.ascii_letters + string.digits,
    "U": string.ascii_uppercase + string.digits,
    "B": string.ascii_uppercase + "234567",
    "h": "0123456789abcdef",
    "H": "0123456789ABCDEF",
    "d": "123456789",
    "a": string.ascii_lowercase + string.digits,
    "w": string.ascii_letters + string.digits + "_-",
    "b": string.ascii_letters + string.digits + "+/",
}
_GROUP = re.compile(r"\{([AUBhHdawbg])(\d*)\}")


def build(template: str, *, length: int | None = None) -> str:
    """Return a sample; with `length` each of its groups is only so long, which is too short."""
    return _GROUP.sub(lambda found: _expand(found, length), template)


def random_parts(template: str) -> list[str]:
    """Return the parts of a sample that are random, longer than what may be left by chance."""
    return [part for found in _GROUP.finditer(template) if len(part := _expand(found)) > 8]


def _expand(found: re.Match[str], length: int | None = None) -> str:
    kind, size = found[1], int(found[2] or 0)
    if kind == "g":
        sizes = (8, 4, 4, 4, 12) if length is None else (length,)
        return "-".join(_characters(f"{found.start()}-{n}", "h", n) for n in sizes)
    return _characters(f"{found.start()}", kind, size if length is None else min(size, length))


def _characters(seed: str, kind: str, size: int) -> str:
    """Return characters that look random and are the same in every run."""
    stream = b"".join(
        hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range(size // 32 + 1)
    )
    return "".join(_KINDS[kind][byte % len(_KINDS[kind])] for byte in stream[:size])


TOKENS = (
    ("aws-access-key", "AKIA{B16}"),
    ("aws-access-key", "ASIA{B16}"),
    ("aws-bedrock-key", "ABSK{b120}="),
    ("google-api-key", "AIza{w35}"),
    ("google-oauth", "ya29.{w80}"),
    ("google-refresh-token", "1//0{w60}"),
    ("google-client-secret", "GOCSPX-{w28}"),
    ("azure-key", "AccountKey={b86}=="),
    ("azure-key", "SharedAccessKey={b43}="),
    ("azure-key", "{b76}+AStA{A6}=="),
    ("azure-client-secret", "{A3}8Q~{A34}"),
    ("azure-devops-token", "{A76}AZDO{A4}"),
    ("alibaba-access-key", "LTAI{A20}"),
    ("tencent-secret-id", "AKID{A32}"),
    ("yandex-token", "AQVN{w35}"),
    ("digitalocean-token", "dop_v1_{h64}"),
    ("heroku-key", "HRKU-AA{w58}"),
    ("fly-token", "fm2_{b100}"),
    ("netlify-token", "nfp_{A36}"),
    ("vercel-token", "vcp_{A56}"),
    ("render-key", "rnd_{A28}"),
    ("supabase-key", "sbp_{h40}"),
    ("planetscale-token", "pscale_tkn_{w43}"),
    ("cloudflare-key", "v1.0-{h24}-{h146}"),
    ("tailscale-key", "tskey-auth-{A16}-{A32}"),
    ("scalingo-token", "tk-us-{w48}"),
    ("doppler-token", "dp.pt.{A43}"),
    ("vault-token", "hvs.{w95}"),
    ("vault-token", "s.{A24}"),
    ("terraform-token", "{A14}.atlasv1.{w67}"),
    ("pulumi-token", "pul-{h40}"),
    ("onepassword-token", "ops_eyJ{b250}"),
    ("openshift-token", "sha256~{w43}"),
    ("rancher-token", "token-{a5}:{a54}"),
    ("mongodb-atlas-secret", "mdb_sa_sk_{w40}"),
    ("databricks-token", "dapi{h32}"),
    ("clickhouse-key", "4b1d{A38}"),
    ("github-token", "ghp_{A36}"),
    ("github-token", "ghs_{A36}"),
    ("github-token", "github_pat_{A22}_{A59}"),
    ("gitlab-token", "glpat-{w20}"),
    ("gitlab-token", "glrt-{w20}"),
    ("gitlab-token", "gloas-{w64}"),
    ("gitlab-token", "GR1348941{w20}"),
    ("gitlab-token", "glagent-{w50}"),
    ("atlassian-token", "ATATT3{w186}"),
    ("atlassian-token", "ATBB{A32}"),
    ("npm-token", "npm_{A36}"),
    ("pypi-token", "pypi-AgEIcHlwaS5vcmc{w100}"),
    ("rubygems-key", "rubygems_{h48}"),
    ("nuget-key", "oy2{a43}"),
    ("crates-token", "cio{A32}"),
    ("clojars-token", "CLOJARS_{a60}"),
    ("artifactory-key", "AKCp{A69}"),
    ("artifactory-key", "cmVmd{A59}"),
    ("docker-token", "dckr_pat_{w27}"),
    ("buildkite-token", "bkua_{h40}"),
    ("circleci-token", "CCIPAT_{A22}_{h40}"),
    ("harness-token", "pat.{w22}.{A24}.{A20}"),
    ("octopus-key", "API-{U26}"),
    ("sonar-token", "squ_{h40}"),
    ("snyk-token", "snyk_uat.{A8}.{w80}"),
    ("sourcegraph-token", "sgp_{h40}"),
    ("infracost-key", "ico-{A32}"),
    ("postman-key", "PMAK-{h24}-{h34}"),
    ("readme-key", "rdme_{a70}"),
    ("slack-token", "xoxb-{d12}-{d12}-{A24}"),
    ("slack-token", "xapp-1-{U11}-{d13}-{h64}"),
    ("slack-token", "xoxe.xoxp-1-{A160}"),
    ("discord-token", "M{w23}.{w6}.{w38}"),
    ("telegram-token", "{d10}:AA{w33}"),
    ("stripe-key", "sk_live_{A24}"),
    ("stripe-key", "rk_test_{A24}"),
    ("stripe-key", "whsec_{A32}"),
    ("twilio-key", "SK{h32}"),
    ("sendgrid-key", "SG.{w22}.{w43}"),
    ("mailgun-key", "key-{h32}"),
    ("mailgun-key", "{h32}-{h8}-{h8}"),
    ("mailchimp-key", "{h32}-us12"),
    ("brevo-key", "xkeysib-{h64}-{A16}"),
    ("resend-key", "re_{A8}_{A24}"),
    ("shopify-token", "shpat_{h32}"),
    ("square-token", "sq0atp-{w22}"),
    ("square-token", "EAAA{w60}"),
    ("paypal-token", "access_token$production${a16}${h32}"),
    ("plaid-token", "access-production-{g}"),
    ("flutterwave-key", "FLWSECK_TEST-{h32}-X"),
    ("facebook-token", "EAAM{A120}"),
    ("twitter-token", "AAAAAAAAAAAAAAAAAAAAAA{A80}"),
    ("dropbox-token", "sl.u.{w140}"),
    ("airtable-token", "pat{A14}.{h64}"),
    ("asana-token", "1/{d16}:{h32}"),
    ("figma-token", "figd_{w40}"),
    ("contentful-token", "CFPAT-{w43}"),
    ("typeform-token", "tfp_{w59}"),
    ("hubspot-token", "pat-na1-{g}"),
    ("linear-key", "lin_api_{A40}"),
    ("notion-token", "ntn_{d11}{A35}"),
    ("notion-token", "secret_{A43}"),
    ("duffel-token", "duffel_live_{w43}"),
    ("easypost-key", "EZAK{A54}"),
    ("shippo-token", "shippo_live_{h40}"),
    ("frameio-token", "fio-u-{w64}"),
    ("mapbox-token", "sk.eyJ{w80}.{w22}"),
    ("maxmind-key", "{A6}_{A29}_mmk"),
    ("prefect-key", "pnu_{A36}"),
    ("datadog-key", "ddapp_{A34}"),
    ("new-relic-key", "NRAK-{U27}"),
    ("new-relic-key", "{h36}NRAL"),
    ("sentry-token", "sntryu_{h64}"),
    ("sentry-token", "sntrys_eyJ{b120}_{b43}"),
    ("grafana-token", "glsa_{A32}_{h8}"),
    ("grafana-token", "glc_{b60}"),
    ("dynatrace-token", "dt0c01.{U24}.{U64}"),
    ("honeycomb-key", "hcaik_{a58}"),
    ("launchdarkly-key", "sdk-{g}"),
    ("openai-key", "sk-{A48}"),
    ("openai-key", "sk-proj-{w120}"),
    ("openai-key", "sk-ant-api03-{w93}AA"),
    ("elevenlabs-key", "sk_{h48}"),
    ("huggingface-token", "hf_{A34}"),
    ("replicate-token", "r8_{A37}"),
    ("groq-key", "gsk_{A52}"),
    ("xai-key", "xai-{A80}"),
    ("perplexity-key", "pplx-{A48}"),
    ("langsmith-key", "lsv2_pt_{h32}_{h10}"),
    ("nvidia-key", "nvapi-{w64}"),
    ("pinecone-key", "pcsk_{A68}"),
    ("wandb-key", "wandb_v1_{A60}"),
    ("defined-networking-token", "dnkey-{w26}-{w52}"),
    ("age-key", "AGE-SECRET-KEY-1{U58}"),
    ("age-key", "AGE-PLUGIN-YUBIKEY-1{U60}"),
    ("minisign-key", "RWRTY0Iy{b200}"),
    ("signify-key", "RWRCSwAAA{b120}"),
    ("json-web-token", "eyJ{w40}.eyJ{w80}.{w43}"),
    ("conda-token", "https://conda.x/t/{h8}-{h24}/main"),
    ("url-signature", "https://x/?a=b&sig={b43}"),
    ("url-signature", "https://x/?X-Amz-Signature={h64}"),
    ("slack-webhook", "https://hooks.slack.com/services/T{U8}/B{U8}/{A24}"),
    ("discord-webhook", "https://discord.com/api/webhooks/{d18}/{w68}"),
    ("teams-webhook", "https://x.webhook.office.com/webhookb2/{g}@{g}/IncomingWebhook/{h32}/{g}"),
    (
        "google-chat-webhook",
        "https://chat.googleapis.com/v1/spaces/AAA/messages?key={w39}&token={w43}",
    ),
    ("hook-path", "https://hc-ping.com/{g}"),
    ("hook-path", "https://hooks.zapier.com/hooks/catch/{d8}/{a16}"),
    ("crypt-hash", "$6${A16}${b86}"),
    ("crypt-hash", "$1${A8}${b22}"),
    ("crypt-hash", "$2y$10${A53}"),
    ("crypt-hash", "$y$j9T${A22}${A43}"),
    ("crypt-hash", "$apr1${A8}${b22}"),
    ("crypt-hash", "$argon2id$v=19$m=65536,t=3,p=4${b22}${b43}"),
    ("crypt-hash", "$P$B{A30}"),
    ("crypt-hash", "pbkdf2_sha256$600000${A22}${b43}="),
    ("crypt-hash", "grub.pbkdf2.sha512.10000.{H128}.{H128}"),
    ("crypt-hash", "SCRAM-SHA-256$4096:{b22}==${b43}=:{b43}="),
    ("crypt-hash", "*{H40}"),
    ("crypt-hash", "$9${A24}"),
    ("ldap-hash", "{SSHA}{b32}"),
    ("ldap-hash", "{SHA512-CRYPT}$6${A16}${b86}"),
    ("smb-hash", "bob:1000:{H32}:{H32}:[U          ]:"),
)

CONTEXTS = (
    ("npm-token", "//r.example.org/:_authToken={A36}"),
    ("json-web-key", '{"kty": "EC", "d": "{w43}"}'),
    ("xml-rsa-key", "<RSAKeyValue><D>{b88}</D></RSAKeyValue>"),
    ("authorization", "Authorization: Bearer {A32}"),
    ("authorization", '"authorization": "Token {h40}"'),
    ("session-cookie", "Cookie: a=b; sessionid={a32}"),
    ("oracle-url", "jdbc:oracle:thin:app/{A12}@//db:1521/x"),
    ("database-dsn", "app:{A12}@tcp(db:3306)/app"),
    ("sql-password", "CREATE USER x IDENTIFIED BY '{A12}'"),
    ("sql-password", "identified by '{A12}'"),
    ("connect-call", "mysqli_connect('db', 'app', '{A12}')"),
    ("connect-call", "HTTPBasicAuth('bob', '{A12}')"),
    ("gossip-key", 'encrypt = "{b43}="'),
    ("oracle-login", "CONNECT bob/{A12}@db"),
    ("connect-call", 'DBI->connect("dbi:mysql:x", "bob", "{A12}")'),
    ("router-key", "ip ospf message-digest-key 1 md5 {A12}"),
    ("router-key", "snmp-server community {A12} RO"),
    ("exim-password", "client_send = : bob : {A12}"),
    ("iscsi-password", "incominguser bob {A12}"),
    ("proxy-login", "cache_peer p parent 3128 0 login=bob:{A12}"),
    ("proxy-login", "socat x proxy:p:80,proxyauth=bob:{A12}"),
    ("told-password", "# the password is {A12}"),
    ("share-password", "net use Z: //nas/x /user:bob {A12}"),
    ("nested-key", '"Jwt": {"Issuer": "x", "Key": "{A12}"}'),
    ("nested-key", 'encryption:\n    key: "{A12}"'),
    ("secure-string", 'ConvertTo-SecureString "{A12}" -AsPlainText'),
    ("ldap-password", "bob:{PLAIN}{A12}"),
    ("private-key", "-----BEGIN EC PRIVATE KEY-----\n{b64}\n-----END EC PRIVATE KEY-----"),
    (
        "private-key",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{b64}\n-----END PGP PRIVATE KEY BLOCK-----",
    ),
    (
        "private-key",
        "-----BEGIN OpenVPN Static key V1-----\n{h32}\n-----END OpenVPN Static key V1-----",
    ),
    (
        "private-key",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{b64}\n---- END SSH2 PRIVATE KEY ----",
    ),
    ("private-key", "-----BEGIN PRIVATE KEY-----\n{b64}\n{b64}\n"),
    ("private-key", "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 1\n{b64}\nPrivate-MAC: x\n"),
    ("url-credentials", "https://bob:{A12}@x.example.org/"),
    ("url-credentials", "https://{A40}@x.example.org/"),
)
