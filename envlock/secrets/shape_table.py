"""The published formats of tokens and keys: one row each, with where it is documented.

A row is a line ``id | hints | source`` and, indented, its pattern.  Every match holds one of the
hints; they are looked for first, because that is many times as fast as the pattern.  A match begins
with one of them, except where they are marked by ``~``.  A pattern that begins neither
with a look-behind nor with ``^`` follows no letter or digit.  A group called `secret` is the part
that is one; without it, that is the whole match.  ``?`` after an id: what is found must also look
random, because other things have the same form.

Every pattern begins with something fixed and has bounded or possessive repeats, so that its time
grows with the length of the text and no faster.
"""

from __future__ import annotations

CLOUDS = r"""
aws-access-key | AKIA ASIA ABIA ACCA | AWS IAM: unique identifiers
    (?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])
aws-bedrock-key | ABSK | Amazon Bedrock: API keys
    ABSK[A-Za-z0-9+/]{100,280}+={0,2}
google-api-key | AIza | Google Cloud: API keys
    AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])
google-oauth | ya29. | Google Identity: OAuth 2.0
    ya29\.[A-Za-z0-9_-]{20,2048}+
google-refresh-token | 1//0 | Google Identity: OAuth 2.0
    1//0[A-Za-z0-9_-]{40,128}+
google-client-secret | GOCSPX- | Google Identity: OAuth 2.0
    GOCSPX-[A-Za-z0-9_-]{28}
azure-key | AccountKey SharedAccess SharedSecret | Azure Storage, Service Bus: connection strings
    ^ (?:AccountKey|SharedAccessKey|SharedSecretIssuer
    |SharedAccessSignature)=(?P<secret>[A-Za-z0-9+/=%&._-]{30,1024}+)
azure-key | ~+AStA ~+ASb ~AzSe ~+ACR ~+AMC ~ACDb ~AzFu ~AIoT ~APIM ~AzCa | Azure
    (?<![A-Za-z0-9+/])[A-Za-z0-9+/]{36,76}?(?:\+AStA|\+ASb|AzSe|\+ACR|\+AMC|ACDb|AzFu|AIoT|APIM
    |AzCa)[A-Za-z0-9+/]{5,9}={0,2}(?![A-Za-z0-9+/])
azure-client-secret? | ~Q~ | Microsoft Entra: client secrets
    (?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~.-])
azure-devops-token | ~AZDO | Azure DevOps: personal access tokens
    [A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])
alibaba-access-key? | LTAI | Alibaba Cloud: AccessKey pairs
    LTAI[A-Za-z0-9]{12,20}(?![A-Za-z0-9])
tencent-secret-id | AKID | Tencent Cloud: API keys
    AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])
yandex-token? | t1. AQVN YC | Yandex Cloud: credentials
    (?:t1\.[A-Za-z0-9_-]{10,512}={0,2}\.[A-Za-z0-9_-]{86}={0,2}|AQVN[A-Za-z0-9_-]{35,38}
    |YC[A-Za-z0-9_-]{38})(?![A-Za-z0-9_-])
digitalocean-token | doo_v1_ dop_v1_ dor_v1_ | DigitalOcean: API tokens
    do[opr]_v1_[a-f0-9]{64}
heroku-key | HRKU- | Heroku: API keys
    HRKU-[A-Za-z0-9_-]{36,80}+
fly-token | fm1 fm2_ fo1_ | Fly.io: access tokens
    (?:fm[12][ar]?_[A-Za-z0-9+/]{60,2048}+={0,3}|fo1_[A-Za-z0-9_-]{43})
netlify-token | nfp_ nfc_ nfo_ nfu_ nfb_ | Netlify: personal access tokens
    nf[pcoub]_[A-Za-z0-9]{36,40}(?![A-Za-z0-9])
vercel-token | vcp_ vci_ vcr_ vck_ vca_ | Vercel: access tokens
    vc[pirka]_[A-Za-z0-9]{40,80}+
render-key? | rnd_ | Render: API keys
    rnd_[A-Za-z0-9]{28,40}(?![A-Za-z0-9])
supabase-key | sbp_ sb_secret_ | Supabase: API keys
    (?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{30,60}+)
planetscale-token | pscale_ | PlanetScale: service tokens
    pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=._-]{32,64}+
cloudflare-key | v1.0- | Cloudflare: Origin CA keys
    v1\.0-[a-f0-9]{24}-[a-f0-9]{100,160}+
tailscale-key? | tskey- | Tailscale: key prefixes
    tskey-[a-z]{2,12}-[A-Za-z0-9]{8,32}(?:-[A-Za-z0-9]{16,64})?
scalingo-token | tk-us- | Scalingo: API tokens
    tk-us-[A-Za-z0-9_-]{48}
doppler-token | dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit. | Doppler: token formats
    dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}(?![A-Za-z0-9])
vault-token? | hvs. hvb. hvr. s. b. | HashiCorp Vault: tokens
    (?:hv[sbr]\.[A-Za-z0-9_-]{20,300}+|[sb]\.[A-Za-z0-9]{24}(?![A-Za-z0-9.]))
terraform-token | ~.atlasv1. | HCP Terraform: API tokens
    [A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}+
pulumi-token | pul- | Pulumi Cloud: access tokens
    pul-[a-f0-9]{40}
onepassword-token | ops_eyJ A3- | 1Password: service accounts, secret keys
    (?:ops_eyJ[A-Za-z0-9+/_=-]{100,2048}+|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}
    |[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5})
openshift-token | sha256~ | OpenShift: OAuth access tokens
    sha256~[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])
rancher-token | token- | Rancher: API keys
    token-[a-z0-9]{5}:[a-z0-9]{54}(?![a-z0-9])
mongodb-atlas-secret | mdb_sa_sk_ | MongoDB Atlas: service accounts
    mdb_sa_sk_[A-Za-z0-9_-]{30,64}+
databricks-token | dapi | Databricks: personal access tokens
    dapi[a-f0-9]{32}(?:-\d)?(?![a-f0-9])
clickhouse-key | 4b1d | ClickHouse Cloud: API keys
    4b1d[A-Za-z0-9]{38}(?![A-Za-z0-9])
yandex-token? | y0_ y1_ y2_ y3_ AQVN t1. | Yandex Cloud: types of credentials
    (?:y[0-3]_[A-Za-z0-9_-]{50,60}|AQVN[A-Za-z0-9_-]{35,40}
    |t1\.[A-Za-z0-9_-]{8,512}={0,2}\.[A-Za-z0-9_-]{86}={0,2})(?![A-Za-z0-9_-])
fly-token | fm1r_ fm1a_ fm2_ fo1_ | Fly.io: access tokens
    f(?:m1[ra]|m2|o1)_[A-Za-z0-9+/=_,-]{40,4096}+
swarm-token | SWMTKN-1- SWMKEY-1- | Docker: swarm join tokens, swarm unlock keys
    SWM(?:TKN-1-[a-z0-9]{40,64}-[a-z0-9]{20,32}|KEY-1-[A-Za-z0-9+/]{40,48}={0,2})
k3s-token | K10 | k3s: token
    K10[0-9a-f]{64}::[^\s"']{6,128}+
"""

CODE_HOSTS = r"""
github-token | ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ | GitHub: token formats
    (?:gh[pousr]_[A-Za-z0-9]{36,255}+|github_pat_[A-Za-z0-9_]{40,255}+)
gitlab-token | glpat- gldt- glrt- glrtr- glcbt- glptt- | GitLab: token prefixes
    gl(?:pat|dt|rt|rtr|cbt|ptt)-[A-Za-z0-9_.-]{20,300}+
gitlab-token | glft- glimt- glagent- | GitLab: token prefixes
    gl(?:ft|imt|agent)-[A-Za-z0-9_.-]{20,300}+
gitlab-token | gloas- glsoat- glffct- glwt- | GitLab: token prefixes
    gl(?:oas|soat|ffct|wt)-[A-Za-z0-9_.-]{20,300}+
gitlab-token | GR1348941 | GitLab: runner registration tokens
    GR1348941[A-Za-z0-9_-]{20}
atlassian-token | ATATT3 ATCTT3 ATSTT3 ATLTT3 ATBB | Atlassian: API tokens
    AT(?:ATT|CTT|STT|LTT)3[A-Za-z0-9_=-]{60,300}+|ATBB[A-Za-z0-9]{32}(?![A-Za-z0-9])
npm-token | npm_ | npm: access tokens
    npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])
pypi-token | pypi-A | PyPI: API tokens
    pypi-[A-Za-z0-9_-]{32,1024}+
rubygems-key | rubygems_ | RubyGems: API keys
    rubygems_[a-f0-9]{48}
nuget-key? | oy2 | NuGet: API keys
    oy2[a-z0-9]{43}(?![a-z0-9])
crates-token? | cio | crates.io: API tokens
    cio[A-Za-z0-9]{32}(?![A-Za-z0-9])
clojars-token | CLOJARS_ | Clojars: deploy tokens
    CLOJARS_[a-z0-9]{60}
artifactory-key? | AKCp cmVmd | JFrog: API keys, reference tokens
    (?:AKCp[A-Za-z0-9]{60,80}|cmVmd[A-Za-z0-9]{59})(?![A-Za-z0-9])
docker-token | dckr_ | Docker Hub: access tokens
    dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,128}+
buildkite-token | bkua_ bkaj_ bkct_ bkpt_ | Buildkite: API tokens
    bk(?:ua|aj|ct|pt)_[a-f0-9]{40}
circleci-token | CCIPAT_ CCIPRJ_ | CircleCI: API tokens
    CCI(?:PAT|PRJ)_[A-Za-z0-9]{16,32}_[a-f0-9]{40}
harness-token | pat. sat. | Harness: API keys
    [ps]at\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9]{24}\.[A-Za-z0-9]{20}(?![A-Za-z0-9])
octopus-key? | API- | Octopus Deploy: API keys
    API-[A-Z0-9]{26,30}(?![A-Z0-9])
sonar-token | sqa_ sqp_ squ_ | SonarQube: tokens
    sq[apu]_[a-f0-9]{40}
snyk-token | snyk_ | Snyk: API tokens
    snyk_[us]at\.[A-Za-z0-9_.-]{20,256}+
sourcegraph-token | sgp_ | Sourcegraph: access tokens
    sgp_(?:(?:[a-fA-F0-9]{16}|local)_)?[a-fA-F0-9]{40}
infracost-key | ico- | Infracost: API keys
    ico-[A-Za-z0-9]{32}(?![A-Za-z0-9])
postman-key | PMAK- | Postman: API keys
    PMAK-[a-f0-9]{24}-[a-f0-9]{34}
readme-key | rdme_ | ReadMe: API keys
    rdme_[a-z0-9]{70}
deno-token | ddp_ ddw_ | Deno Deploy: access tokens
    dd[pw]_[A-Za-z0-9]{36,40}(?![A-Za-z0-9])
"""

SERVICES = r"""
slack-token? | xoxa- xoxb- xoxc- xoxe- xoxe. xoxo- xoxp- xoxr- xoxs- xapp- | Slack: token types
    (?:xoxe\.)?xox[abceoprs]-[A-Za-z0-9-]{10,255}+|xapp-\d-[A-Za-z0-9-]{20,255}+
discord-token? | ~. | Discord: reference, authentication
    (?<![A-Za-z0-9_.-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}
    (?![A-Za-z0-9_.-])
telegram-token | ~:AA | Telegram: Bot API
    (?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{32,35}(?![A-Za-z0-9_-])
stripe-key | ~k_live_ ~k_test_ ~k_prod_ whsec_ | Stripe: API keys
    [rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,247}+|whsec_[A-Za-z0-9+/=]{24,80}+
twilio-key | SK | Twilio: API keys
    SK[0-9a-f]{32}(?![0-9a-fA-F])
sendgrid-key | SG. | SendGrid: API keys
    SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}+
mailgun-key | key- ~- | Mailgun: API keys
    (?:key-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})(?![0-9a-f])
mailchimp-key | ~-us | Mailchimp: API keys
    [0-9a-f]{32}-us\d{1,2}(?!\d)
brevo-key | xkeysib- xsmtpsib- | Brevo: API keys
    x(?:key|smtp)sib-[a-f0-9]{64}-[A-Za-z0-9]{16}
resend-key? | re_ | Resend: API keys
    re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?![A-Za-z0-9])
shopify-token | shpat_ shpca_ shppa_ shpss_ shpua_ shptka_ | Shopify: access tokens
    shp(?:at|ca|pa|ss|ua|tka)_[a-fA-F0-9]{32}
square-token | EAAA sq0 | Square: access tokens
    (?:EAAA[A-Za-z0-9_-]{60}|sq0[a-z]{3}-[A-Za-z0-9_-]{22,50})(?![A-Za-z0-9_-])
paypal-token | access_token$ | PayPal Braintree: access tokens
    ^ access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}
plaid-token | access-sandbox access-dev access-prod | Plaid: access tokens
    access-(?:sandbox|development|production)-{UUID}
flutterwave-key | FLWSECK | Flutterwave: API keys
    FLWSECK(?:_TEST)?-[A-Za-z0-9]{12,40}(?:-X)?
facebook-token | EAAM EAAC | Meta: access tokens
    EAA(?:[MC][A-Za-z0-9]{100,300}|CEdEose0cBA[A-Za-z0-9]{20,300})(?![A-Za-z0-9])
twitter-token? | AAAAAAAAAAAAAAAAAAAA | X: bearer tokens
    A{20,24}[A-Za-z0-9%]{70,110}(?![A-Za-z0-9])
dropbox-token | sl.u. sl.A sl.B sl.C | Dropbox: OAuth guide
    sl\.(?:u\.)?[A-Za-z0-9_=-]{100,1400}+
airtable-token? | pat | Airtable: personal access tokens
    pat[A-Za-z0-9]{14}\.[a-f0-9]{64}
asana-token? | 1/ 2/ | Asana: personal access tokens
    (?<![\d/])[12]/\d{13,18}(?:/\d{13,18})?:[a-f0-9]{32}(?![a-f0-9])
figma-token | figd_ figo_ figu_ figor_ figoh_ figur_ figuh_ | Figma: access tokens
    fig[dourh]{1,2}_[A-Za-z0-9_-]{40,64}+
contentful-token | CFPAT- | Contentful: personal access tokens
    CFPAT-[A-Za-z0-9_-]{43}
typeform-token | tfp_ | Typeform: personal access tokens
    tfp_[A-Za-z0-9_.=-]{44,64}+
hubspot-token | pat-na pat-eu pat-ap | HubSpot: private apps
    pat-(?:na|eu|ap)\d-{UUID}
linear-key | lin_api_ lin_oauth_ | Linear: API keys
    lin_(?:api|oauth)_[A-Za-z0-9]{32,64}+
notion-token? | ntn_ secret_ | Notion: authorization
    (?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})(?![A-Za-z0-9])
duffel-token | duffel_ | Duffel: access tokens
    duffel_(?:test|live)_[A-Za-z0-9_=-]{43}
easypost-key | EZAK EZTK | EasyPost: API keys
    EZ[AT]K[A-Za-z0-9]{54}
shippo-token | shippo_ | Shippo: API tokens
    shippo_(?:live|test)_[a-fA-F0-9]{40}
frameio-token | fio-u- | Frame.io: API tokens
    fio-u-[A-Za-z0-9_=-]{64}
mapbox-token | sk.eyJ | Mapbox: access tokens
    sk\.eyJ[A-Za-z0-9_-]{20,256}\.[A-Za-z0-9_-]{20,32}
maxmind-key | ~_mmk | MaxMind: license keys
    [A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk(?![A-Za-z0-9])
prefect-key | pnu_ pnb_ | Prefect Cloud: API keys
    pn[ub]_[A-Za-z0-9]{36}(?![A-Za-z0-9])
datadog-key | ddapp_ ddapi_ | Datadog: API and application keys
    dd(?:app|api)_[A-Za-z0-9]{32,40}(?![A-Za-z0-9])
new-relic-key | NRAK- NRII- NRIQ- NRRA- NRSP- NRAA- ~NRAL | New Relic: API keys
    (?:NRAK-[A-Z0-9]{27}|NR(?:II|IQ|RA|SP|AA)-[A-Za-z0-9_-]{20,40}
    |[a-f0-9]{36}NRAL)(?![A-Za-z0-9])
sentry-token | sntry | Sentry: auth tokens
    (?:sntrys_eyJ[A-Za-z0-9+/=_-]{40,512}+|sntry[uai]_[a-f0-9]{64})
grafana-token | glsa_ glc_ eyJrIjoi | Grafana: service account and Cloud tokens
    (?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}+={0,3}
    |eyJrIjoi[A-Za-z0-9+/]{60,400}+={0,3})
dynatrace-token | dt0 | Dynatrace: token format
    dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}
honeycomb-key | hcaik_ hcamk_ hcxik_ hcbik_ hcaic_ | Honeycomb: API keys
    hc[abx][im][ck]_[a-z0-9]{50,64}(?![a-z0-9])
launchdarkly-key | sdk- api- | LaunchDarkly: SDK keys
    (?:sdk|api)-{UUID}
openai-key? | sk- | OpenAI, Anthropic, OpenRouter: API keys
    sk-(?:(?:proj|svcacct|admin|ant|or|None)-)?[A-Za-z0-9_-]{20,300}+
elevenlabs-key | sk_ | ElevenLabs: API keys
    sk_[a-f0-9]{48}(?![a-f0-9])
huggingface-token? | hf_ api_org_ | Hugging Face: user access tokens
    (?:hf|api_org)_[A-Za-z0-9]{30,60}(?![A-Za-z0-9_])
replicate-token | r8_ | Replicate: API tokens
    r8_[A-Za-z0-9]{37}(?![A-Za-z0-9])
groq-key | gsk_ | Groq: API keys
    gsk_[A-Za-z0-9]{40,60}(?![A-Za-z0-9])
xai-key | xai- | xAI: API keys
    xai-[A-Za-z0-9]{70,90}(?![A-Za-z0-9])
perplexity-key | pplx- | Perplexity: API keys
    pplx-[A-Za-z0-9]{40,60}(?![A-Za-z0-9])
langsmith-key | lsv2_ | LangSmith: API keys
    lsv2_[a-z]{2}_[a-f0-9]{32}_[a-f0-9]{10}
nvidia-key | nvapi- | NVIDIA: API catalog
    nvapi-[A-Za-z0-9_-]{60,80}+
pinecone-key | pcsk_ | Pinecone: API keys
    pcsk_[A-Za-z0-9_]{40,100}+
wandb-key | wandb_v1_ | Weights & Biases: API keys
    wandb_v1_[A-Za-z0-9_]{40,100}+
defined-networking-token | dnkey- | Defined Networking: API tokens
    dnkey-[A-Za-z0-9=_-]{26}-[A-Za-z0-9=_-]{52}
cerebras-key | csk- | Cerebras: API keys
    csk-[a-z0-9]{44,52}(?![a-z0-9])
together-key | tgp_v1_ | Together AI: API keys
    tgp_v1_[A-Za-z0-9_-]{40,48}+
fireworks-key? | fw_ | Fireworks AI: API keys
    fw_[A-Za-z0-9]{22,26}(?![A-Za-z0-9_])
tavily-key | tvly- | Tavily: API keys
    tvly-(?:dev-|prod-)?[A-Za-z0-9]{24,40}(?![A-Za-z0-9])
jina-key | jina_ | Jina AI: API keys
    jina_[a-f0-9]{32}[A-Za-z0-9_-]{24,32}
e2b-key | e2b_ | E2B: API keys
    e2b_[a-f0-9]{40}(?![a-f0-9])
runpod-key? | rpa_ | RunPod: API keys
    rpa_[A-Za-z0-9]{40,48}(?![A-Za-z0-9])
posthog-key? | phx_ phs_ | PostHog: personal and project secret keys
    ph[xs]_[A-Za-z0-9]{32,52}(?![A-Za-z0-9_])
adafruit-key | aio_ | Adafruit IO: keys
    aio_[A-Za-z0-9]{28}(?![A-Za-z0-9])
trello-token | ATTA | Trello: API tokens
    ATTA[a-f0-9]{64}[A-F0-9]{8}
cal-key | cal_ | Cal.com: API keys
    cal_(?:live_)?[a-f0-9]{32}(?![a-f0-9])
mollie-key? | ~live_ ~test_ | Mollie: API keys
    (?<![A-Za-z0-9_])(?:live|test)_[A-Za-z0-9]{28,34}(?![A-Za-z0-9_])
twitch-token? | oauth: | Twitch: chat and IRC
    oauth:[a-z0-9]{30}(?![A-Za-z0-9])
"""
