"""Formats that something around the secret tells, hashes, and links with a token: one row each.

The rows are written as in `shape_table`.
"""

from __future__ import annotations

KEYS_AND_LINKS = r"""
age-key | AGE-SECRET | age: key files
    AGE-SECRET-KEY-1[A-Z0-9]{50,64}
age-key | AGE-PLUGIN | age: plugin identities
    AGE-PLUGIN-[A-Z0-9]{1,32}-1[A-Z0-9]{40,512}+
minisign-key | RWRTY0Iy | minisign(1): secret keys
    RWRTY0Iy[A-Za-z0-9+/]{100,300}+={0,2}
signify-key | RWRCSwAAA | signify(1): secret keys
    RWRCSwAAA[A-Za-z0-9+/]{60,300}+={0,2}
json-web-token | eyJ | RFC 7519
    eyJ[A-Za-z0-9_-]{8,4096}+\.eyJ[A-Za-z0-9_-]{8,8192}+\.[A-Za-z0-9_-]{8,2048}+
json-web-token | eyJ | RFC 7516: encrypted tokens in compact form
    eyJ[A-Za-z0-9_-]{8,4096}+\.(?:[A-Za-z0-9_-]{20,2048}+)?\.[A-Za-z0-9_-]{10,64}+
    \.[A-Za-z0-9_-]{8,8192}+\.[A-Za-z0-9_-]{16,64}+
paseto | v1. v2. v3. v4. | PASETO: tokens
    v[1-4]\.(?:local|public)\.[A-Za-z0-9_-]{40,8192}+
bitcoin-key | xprv yprv zprv tprv | BIP 32: extended private keys
    [xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}(?![A-Za-z0-9])
proxy-share-link? | vmess:// ~ss:// | V2Ray, Shadowsocks: links to share a server
    ^ (?:vmess|(?<![a-z])ss)://(?P<secret>[A-Za-z0-9+/_=-]{16,4096}+)
wifi-code | WIFI: | ZXing: barcode contents, Wi-Fi
    ^ WIFI:(?:[A-OQ-Z]:[^;\n]{0,128};){0,4}P:(?P<secret>[^;\n]{4,128}+);
package-token | ~dl.cloudsmith.io ~packagecloud.io ~fury.io | Cloudsmith, packagecloud, Gemfury
    ^ (?:dl\.cloudsmith\.io|packagecloud\.io/priv|(?:pypi|gem|npm|apt|yum|repo)\.fury\.io)/
    (?P<secret>[A-Za-z0-9_-]{16,128}+)/
chat-hook | ~/hooks/ ~/bot/v2/hook/ | Mattermost, Rocket.Chat, Feishu, Lark: incoming webhooks
    ^ (?<=://)[\w.:-]{3,128}/(?:open-apis/bot/v2/hook|hooks)/(?P<secret>[A-Za-z0-9/-]{20,100}+)
conda-token | ~/t/ | conda: channels with a token in the path
    ^ ://[^\s"'<>]{3,256}?/t/(?P<secret>[A-Za-z0-9-]{8,128}+)/
url-signature | ~sig= ~ignature= ~oken= ~SAS= ~key= ~Key= ~KEY= ~sas= ~code= | Azure, AWS, Google
    ^ (?<=[?&;])(?:X-(?:Amz|Goog)-(?:Signature|Security-Token)|sig|signature|Signature|sas|SAS
    |key|Key|KEY|apikey|apiKey|code|[a-z]{1,16}[_-]?token|token)=
    (?P<secret>[A-Za-z0-9%+/_.~=-]{8,4096}+)
slack-webhook | hooks.slack | Slack: incoming webhooks
    ^ hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/
    (?P<secret>[A-Za-z0-9+/_-]{20,200}+)
discord-webhook | ~/api/webhooks/ | Discord: webhooks
    ^ discord(?:app)?\.com/api/webhooks/(?P<secret>\d{15,22}/[A-Za-z0-9_-]{50,100}+)
teams-webhook | ~webhook.office.com ~outlook.office | Microsoft Teams: incoming webhooks
    ^ office(?:365)?\.com/webhook(?:b2)?/(?P<secret>[A-Za-z0-9@/_-]{36,300}+)
google-chat-webhook | chat.googleapis.com | Google Chat: webhooks
    ^ chat\.googleapis\.com/v1/spaces/[\w-]{1,64}/messages\?(?P<secret>[A-Za-z0-9%&=_.-]{20,400}+)
hook-path | hooks.zapier.com hc-ping.com maker.ifttt hooks.airtable | Zapier, Healthchecks, IFTTT
    ^ (?:hooks\.(?:zapier|airtable)\.com/[\w-]{1,32}|hc-ping\.com
    |maker\.ifttt\.com/trigger/[\w-]{1,64})/
    (?P<secret>[A-Za-z0-9/_-]{16,200}+)
crypt-hash | $1$ $2 $5$ $6$ $7$ $y$ $gy$ $apr1$ $sm3$ | crypt(5), htpasswd(1)
    (?<![\w$\\])\$(?:1|2[abxy]?|5|6|7|apr1|y|gy|sm3)\$[A-Za-z0-9./+$=,_-]{16,512}+
crypt-hash | $P$ $H$ $S$ $8$ $9$ $14$ | phpass, Drupal, Cisco IOS types 8, 9 and 14
    (?<![\w$\\])\$(?:P|H|S|8|9|14)\$[A-Za-z0-9./+$=,_-]{16,512}+
crypt-hash | $argon2 $pbkdf2 $bcrypt $scrypt $md5 $sha1 | PHC string format, Passlib
    (?<![\w$\\])\$(?:argon2(?:id?|d)\$(?:v=\d{1,4}\$)?m=\d{1,9},t=\d{1,4},p=\d{1,4}
    \$[A-Za-z0-9+/]{8,128}\$[A-Za-z0-9+/=]{20,256}+
    |(?:pbkdf2[a-z0-9-]{0,16}|bcrypt-sha256|scrypt|md5|sha1)(?:\$|,)[A-Za-z0-9./+$=,_-]{16,512}+)
crypt-hash | pbkdf2 grub.pbkdf2 bcrypt_sha256$ argon2$ scrypt: | Django, Werkzeug, GRUB
    (?:pbkdf2_sha\d{1,3}\$\d{1,8}\$|bcrypt_sha256\$\$|argon2\$argon2|pbkdf2:sha\d{1,3}:\d{1,8}\$
    |scrypt:\d{1,8}:\d{1,3}:\d{1,3}\$|grub\.pbkdf2\.sha512\.\d{1,8}\.)[A-Za-z0-9./+$=,_-]{16,1024}+
crypt-hash | SCRAM-SHA- | PostgreSQL: pg_authid
    SCRAM-SHA-(?:1|256|512)\$\d{1,8}:[A-Za-z0-9+/=]{8,64}\$
    [A-Za-z0-9+/=]{20,128}:[A-Za-z0-9+/=]{20,128}+
crypt-hash | * | MySQL: mysql_native_password
    (?<![\w*])\*[0-9A-F]{40}(?![0-9A-Fa-f])
crypt-hash | $9$ | Junos: $9$ secrets
    (?<![\w$\\])\$9\$[A-Za-z0-9./-]{8,128}+
crypt-hash | $BALLOON | FTL, the server of Pi-hole: passwords
    (?<![\w$\\])\$BALLOON-[A-Z0-9]{3,8}\$v=\d{1,4}\$[a-z0-9=,]{3,40}\$[A-Za-z0-9+/=]{8,128}+
    \$[A-Za-z0-9+/=]{20,256}+
crypt-hash | sha1$ sha256$ | Werkzeug, Node-RED: salted digests
    sha(?:1|256)\$[A-Za-z0-9]{6,64}\$[0-9a-f]{40,64}(?![0-9a-f])
ldap-hash | {S {M {C {B {P {A {c {s {p | RFC 2307, slappasswd(8), Dovecot: password schemes
    ^ \{(?:S?SHA(?:1|224|256|384|512)?|S?MD5|CRYPT|BLF-CRYPT|(?:SHA256|SHA512|MD5|DES)-CRYPT
    |PBKDF2[A-Z0-9-]{0,8}
    |ARGON2(?:ID?|D)?|ssha|sha|smd5|md5|crypt)(?:\.[A-Za-z0-9]{1,6})?\}
    (?P<secret>[A-Za-z0-9+/=$.,-]{12,512}+)
smb-hash | ~[U | smbpasswd(5)
    ^ (?<=:)(?P<secret>[0-9A-FX]{32}:[0-9A-F]{32}):\[U
"""

CONTEXTS = r"""
npm-token | _authToken | npm: npmrc
    ^ _authToken[ \t]{0,16}=[ \t]{0,16}(?P<secret>[^\s$\"']{8,512}+)
json-web-key | "kty" | RFC 7517: members d, p, q and k of private keys
    ^ "(?:d|p|q|dp|dq|qi|k)"[ \t\n]{0,64}:[ \t\n]{0,64}"(?P<secret>[A-Za-z0-9_-]{20,1024}+)"
xml-rsa-key | RSAKeyValue | XML Signature: RSAKeyValue as .NET writes it
    ^ <(?:D|P|Q|DP|DQ|InverseQ)>(?P<secret>[A-Za-z0-9+/=\s]{40,2048}+)</
docker-auth | "auth" 'auth' auth: | docker-login(1): config.json
    ^ (?<![\w-])["']?auth["']?[ \t]{0,64}:[ \t]{0,64}["']?(?P<secret>[A-Za-z0-9+/]{8,4096}+={0,2})
basic-authorization | asic ASIC | RFC 7617
    ^ (?<![A-Za-z0-9])(?:[Bb]asic|BASIC)[ \t]{1,16}(?P<secret>[A-Za-z0-9+/]{8,1024}+={0,2})
authorization | uthorization UTHORIZATION | RFC 9110, RFC 6750
    ^ (?:[Aa]uthorization|AUTHORIZATION)\\{0,3}["']?[ \t]{0,16}[:=,][ \t]{0,16}\\{0,3}["']?
    [A-Za-z0-9_-]{2,24}[ \t]{1,16}(?P<secret>[^\s"'\\<>,;{}()$%]{6,4096}+)
session-cookie | ession | RFC 6265: cookies of sessions
    ^ (?<=[Cc]ookie: )[\w=; .-]{0,200}?[Ss]ession[\w-]{0,32}=(?P<secret>[A-Za-z0-9%._-]{16,1024}+)
oracle-url | jdbc:oracle: | Oracle JDBC: thin and OCI URLs
    ^ jdbc:oracle:[a-z0-9]{1,8}:[^\s/@:"']{1,64}/(?P<secret>[^\s@"']{1,128}+)@
database-dsn | @tcp( @unix( @udp( | Go MySQL driver: data source names
    ^ (?<![\w.-])[\w.-]{1,64}+:(?P<secret>[^\s"'@]{1,128}+)@(?:tcp|unix|udp)\(
sql-password | dentified DENTIFIED | MySQL, MariaDB, Oracle: CREATE USER
    ^ (?:identified[ \t]{1,16}by[ \t]{1,16}'|(?:[Ii]dentified|IDENTIFIED)\s{1,16}
    (?:(?:[Ww]ith|WITH)\s{1,16}["'`]?[\w-]{1,64}["'`]?\s{1,16})?
    (?:[Bb]y|BY|[Aa]s|AS|[Uu]sing|USING)\s{1,16}(?:PASSWORD[\s(]{1,16})?')
    (?P<secret>[^'\n]{1,256}+)'
sql-password | PASSWORD(' | MySQL: SET PASSWORD
    ^ PASSWORD\('(?P<secret>[^'\n]{1,256}+)'\)
secure-string | SecureString | PowerShell: ConvertTo-SecureString
    ^ ConvertTo-SecureString[ \t]{1,8}(?:-String[ \t]{1,8})?["'](?P<secret>[^"'\n]{1,256}+)["']
sql-password | IDENTIFIED | Oracle: CREATE USER
    ^ IDENTIFIED\s{1,16}BY\s{1,16}"(?P<secret>[^"\n]{1,256}+)"
connect-call | onnect( mysqli( PDO( onnection( Auth( auth=( login( _bind( db.auth( | PHP, JDBC
    ^ (?:mysqli?_connect|new[ \t]{1,4}(?:mysqli|PDO)|getConnection|BasicAuth|ftp_login|ldap_bind
    |oci_connect|imap_open|DBI->connect|\bdb\.auth|\bauth=|\.login)\((?:[^,()\n]{1,128},){1,2}
    [ \t]{0,8}["'](?P<secret>[^"'\n]{1,128})["']
ldap-password | {PLAIN {CLEAR {plain {clear | Dovecot: password schemes
    ^ \{(?:PLAIN|CLEARTEXT|CLEAR|plain|cleartext)\}(?P<secret>[^\s:"',{}]{3,256}+)
router-key | essage-digest-key uthentication-key ey-string nmp-server mp\skey | Cisco IOS, FRR
    ^ (?:message-digest-key[ \t]{1,8}\d{1,3}[ \t]{1,8}[\w-]{2,24}|authentication-key|key-string
    |snmp-server[ \t]{1,8}community|isakmp[ \t]{1,8}key)[ \t]{1,8}(?:\d[ \t]{1,8})?
    (?P<secret>[^\s"';]{4,128}+)
exim-password | lient_send | Exim: SMTP authentication
    ^ client_send[ \t]{0,8}=[^\n:]{0,64}:[^\n:]{1,128}:[ \t]{0,8}(?P<secret>[^\s:"']{4,128}+)
iscsi-password | ncominguser utgoinguser | tgtadm(8): CHAP accounts
    ^ (?:incoming|outgoing)user[ \t]{1,16}[^\s"']{1,64}[ \t]{1,16}(?P<secret>[^\s"'<]{4,128}+)
proxy-login | login= proxyauth= | Squid: cache_peer, socat(1)
    ^ (?:(?<=\slogin=)|(?<=,proxyauth=))[^\s:*]{1,64}:(?P<secret>[^\s"'<>&]{4,128}+)
told-password | ssword\sis ssphrase\sis | text for people
    ^ (?:[Pp]assword|[Pp]assphrase) is(?: now)?[ \t:]{1,4}["'`]?(?P<secret>[^\s"'`<>(]{5,64}+)
share-password | /user: | net use: Windows commands
    ^ net[ \t]{1,4}use[ \t]{1,4}[^\n]{1,128}?/user:[^\s]{1,64}[ \t]{1,4}
    (?P<secret>[^\s/*"'][^\s"']{3,64}+)
nested-key | Jwt JWT ncryption api | ASP.NET Core, ESPHome, OctoPrint: the key of a section
    ^ ["']?(?:[Jj]wt|JWT|[Ee]ncryption|api)(?:Settings|Config|Options)?["']?[ \t]{0,4}:
    \s{0,16}\{?\s{0,64}
    (?:["']?[A-Z]?[a-z]{2,16}["']?[ \t]{0,4}:[ \t]{0,4}["']?[\w.:/-]{1,64}["']?,?\s{1,64}){0,4}
    ["']?[Kk]ey["']?[ \t]{0,4}:[ \t]{0,4}["']?(?P<secret>[A-Za-z0-9+/=_!@#.-]{8,512}+)
gossip-key | encrypt | Consul, Nomad, Serf: gossip encryption
    ^ \bencrypt["']?[ \t]{0,4}[:=][ \t]{0,4}["'](?P<secret>[A-Za-z0-9+/]{12,88}={1,2})["']
oracle-login | onnect ONNECT onn\s CONN | SQL*Plus: CONNECT
    ^ (?<![\w.])(?:[Cc]onnect|CONNECT|[Cc]onn|CONN)[ \t]{1,8}[\w$#]{1,64}
    /(?P<secret>[^\s@/"']{3,64}+)@
erlang-term | <<" | Hex, RabbitMQ: terms of Erlang
    ^ \{'?\$?(?:\w{0,24}_)?(?:key|password|pass|secret|token)'?,\s{0,8}
    <<"(?P<secret>[^"\n]{6,512}+)">>
tacacs-password | cleartext | tac_plus.conf(5)
    ^ \b(?:login|enable|pap|chap|opap|arap|global|ms-chap)[ \t]{0,8}=[ \t]{0,8}cleartext[ \t]{1,8}
    "?(?P<secret>[^\s"]{2,256}+)
kamailio-key | modparam | Kamailio, OpenSIPS: parameters of modules
    ^ modparam\("[^"\n]{1,128}",[ \t]{0,8}"\w{0,64}(?:key|secret|password)",[ \t]{0,8}
    "(?P<secret>[^"\n]{6,256}+)"
encrypted-property | ENC( | Jasypt, Artemis: encrypted passwords
    ^ \bENC\((?P<secret>[A-Za-z0-9+/=:]{16,1024}+)\)
teleport-token | token_name | Teleport: the method `token`, whose name is the secret
    ^ join_params:\s{1,32}(?:method:[ \t]{1,8}token\s{1,32})?token_name:[ \t]{1,8}
    ["']?(?P<secret>[^\s"']{8,128}+)
magento-key | crypt | Magento: env.php
    ^ ['"]crypt['"]\s{0,8}=>\s{0,8}(?:\[|array\s{0,4}\()\s{0,64}['"]key['"]\s{0,8}=>\s{0,8}
    ['"](?P<secret>[^'"\n]{8,256}+)['"]
"""
