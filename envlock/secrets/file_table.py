"""Files that are secret by their name or place: one row each, with where that is documented.

A row is a line ``title | source`` and, indented, its globs.  Files that hold settings beside a
secret (`sssd.conf`, connections of NetworkManager, kubeconfig) are not here: of them only the
values of secrets are replaced (`settings`).
"""

from __future__ import annotations

TABLE = """
accounts of FTP and HTTP clients | netrc(5)
    **/.netrc **/_netrc /etc/netrc **/.authinfo
passwords of PostgreSQL clients | PostgreSQL: .pgpass
    **/.pgpass **/pgpass.conf
login paths of MySQL clients | mysql_config_editor(1)
    **/.mylogin.cnf
credentials of Git | git-credential-store(1)
    **/.git-credentials **/.config/git/credentials
passwords of web servers | htpasswd(1), htdigest(1)
    **/.htpasswd **/htpasswd **/*.htpasswd **/htpasswd.users **/.htdigest **/*.htdigest
keys of SSH users | ssh(1)
    **/.ssh/id_* **/.ssh/*_key **/.ssh/*.pem **/.ssh/identity
host keys of SSH | sshd(8)
    /etc/ssh/ssh_host_*_key /etc/dropbear/dropbear_*_host_key
keys of GnuPG | gpg-agent(1)
    **/.gnupg/private-keys-v1.d/** **/private-keys-v1.d/*.key **/secring.gpg
    **/.gnupg/openpgp-revocs.d/** **/.gnupg/random_seed
password stores | pass(1)
    **/.password-store/**
keyrings of desktops | GNOME Keyring, KWallet
    **/.local/share/keyrings/** **/.local/share/kwalletd/** **/.dbus-keyrings/**
browsers | Firefox, Chromium: profiles
    **/logins.json **/key3.db **/key4.db **/signons.sqlite **/cookies.sqlite
    **/.config/chromium/**/Cookies **/.config/google-chrome/**/Cookies
    **/.config/chromium/**/Login* **/.config/google-chrome/**/Login*
cookies of X11 | Xauthority, ICEauthority
    **/.Xauthority **/.ICEauthority
passwords of VNC | vncpasswd(1)
    **/.vnc/passwd **/.x11vnc/passwd /etc/vnc/passwd /etc/x11vnc.pass
Google Cloud | gcloud topic configurations
    **/.config/gcloud/credentials.db **/.config/gcloud/access_tokens.db
    **/.config/gcloud/legacy_credentials/** **/.config/gcloud/application_default_credentials.json
Azure | az(1)
    **/.azure/*token* **/.azure/accessTokens.json **/.azure/msal_* **/.azure/service_principal*
Vault | HashiCorp Vault: token helper
    **/.vault-token **/.consul-token
PHP Composer | Composer: authentication
    **/composer/auth.json **/.composer/auth.json
Subversion, CVS | svn: auth, cvs(1)
    **/.subversion/auth/** **/.cvspass
S3 file systems, WebDAV | s3fs(1), davfs2.conf(5)
    **/.passwd-s3fs /etc/passwd-s3fs **/davfs2/secrets **/.davfs2/secrets
private keys of TLS | Debian: ssl-cert, Fedora: certificates
    /etc/ssl/private/** /etc/pki/tls/private/** /etc/pki/*/private/** **/letsencrypt/**/privkey*.pem
    **/letsencrypt/accounts/**/private_key.json **/acme.json
key stores | keytool(1), openssl-pkcs12(1), KeePass, PuTTY
    **/*.jks **/*.jceks **/*.keystore **/*.p12 **/*.pfx **/*.kdbx **/*.ppk **/*.bks
Kerberos | MIT Kerberos
    /etc/krb5.keytab **/*.keytab /tmp/krb5cc_* /var/lib/krb5kdc/** /var/kerberos/krb5kdc/.k5.*
    /var/kerberos/krb5kdc/principal*
keys of clusters | munge(7), corosync-keygen(8), Pacemaker, Booth, Slurm
    /etc/munge/munge.key /etc/corosync/authkey /etc/pacemaker/authkey /etc/booth/*.key
    /etc/slurm/*.key **/slurm*/jwt*.key
Ceph | ceph-authtool(8)
    /etc/ceph/*.keyring /etc/ceph/*.secret /var/lib/ceph/**/keyring
IPsec | ipsec.secrets(5), swanctl(8), racoon.conf(5)
    /etc/ipsec.secrets /etc/ipsec.d/*.secrets /etc/ipsec.d/private/** /etc/strongswan/ipsec.secrets
    **/swanctl/private/** **/swanctl/rsa/** **/swanctl/ecdsa/** **/swanctl/pkcs8/**
    **/swanctl/pkcs12/** **/racoon/psk.txt
OpenVPN | openvpn(8): auth-user-pass, tls-auth
    /etc/openvpn/**/*.key /etc/openvpn/**/auth*.txt /etc/openvpn/**/login* /etc/openvpn/**/*pass*
    /etc/openvpn/**/cred*
WireGuard, tinc | wg(8), tincd(8)
    /etc/wireguard/*key* /etc/wireguard/private* /etc/tinc/*/*.priv
NetworkManager, iwd, hostapd, Bluetooth | NetworkManager(8), iwd.network(5), hostapd.conf
    /var/lib/NetworkManager/secret_key /etc/hostapd*.wpa_psk /etc/hostapd/*.psk
    /var/lib/bluetooth/*/*/info
PPP | pppd(8), xl2tpd.conf(5)
    /etc/ppp/*-secrets /etc/xl2tpd/*-secrets
LDAP and SSSD | nslcd(8), pam_ldap(5), sssd-secrets(5)
    /etc/ldap.secret /etc/*ldap.secret /etc/openldap/*.secret /var/lib/sss/secrets/**
mail | Postfix: SASL_README, exim4-config_files(5), Cyrus SASL, Dovecot, OpenDKIM
    /etc/postfix/**/sasl_passw* /etc/postfix/sasl_passw* /etc/postfix/*_passwd
    /etc/postfix/sasl/*pass*
    /etc/exim4/passwd.client /etc/exim4/passwd /etc/exim/passwd.client /etc/sasldb2 /etc/sasl2/*db2
    /etc/dovecot/users /etc/dovecot/passwd /etc/dkimkeys/** /etc/opendkim/keys/**
    /var/lib/rspamd/dkim/*.key **/adm.pw /etc/mail/authinfo*
Erlang | Erlang: distributed systems
    **/.erlang.cookie **/erlang.cookie
backups | restic: password files, borg(1)
    **/restic/*pass* **/restic/*secret* **/restic/*key **/.restic*pass* **/restic-pass*
    **/restic_pass*
    **/.config/borg/keys/** **/borg/*pass* **/.borg*pass*
Ansible, Chef, eyaml | ansible-vault(1), Chef: data bags
    **/.vault_pass* **/vault_pass* **/.vault-pass* **/vault-pass* **/.vaultpass* **/vaultpass*
    **/.ansible_vault* **/encrypted_data_bag_secret **/.chef/*.pem
systemd | systemd.exec(5): credentials
    /etc/credstore/** /etc/credstore.encrypted/** /usr/lib/credstore/** /run/credstore/**
    /run/credentials/** /var/lib/systemd/credential.secret /var/lib/systemd/random-seed
disk encryption | crypttab(5)
    /etc/cryptsetup-keys.d/** /etc/cryptsetup/** /etc/luks/** /etc/luks-keys/** /etc/keys/**
    /crypto_keyfile.bin /boot/*keyfile* /root/*keyfile* /etc/*keyfile* /etc/crypttab.d/*.key
old passwords | pam_pwhistory(8), smbpasswd(5)
    /etc/security/opasswd /etc/samba/smbpasswd /etc/master.passwd
Samba | Samba: private directory
    /var/lib/samba/private/** /var/lib/samba/**/secrets.tdb /var/lib/samba/**/passdb.tdb
secrets of containers | Docker, Kubernetes: secrets as files
    /run/secrets/** /var/run/secrets/** /var/lib/secrets/** /run/agenix/** /run/sops/**
Kubernetes | kubeadm, k3s, Rancher
    /var/lib/rancher/**/token /var/lib/rancher/**/node-token /var/lib/rancher/**/agent-token
    /var/lib/kubelet/pki/*-current.pem
time, DNS, SNMP | ntp.keys(5), chrony.conf(5), dnssec-keygen(8), snmpd.conf(5)
    /etc/ntp.keys /etc/ntp/keys /etc/chrony.keys /etc/chrony/chrony.keys /etc/ntpsec/ntp.keys
    **/K*+*+*.private /var/lib/snmp/snmpd.conf /var/lib/net-snmp/snmpd.conf
rsync, pgbouncer, MQTT, Squid, Zabbix | rsyncd.conf(5), mosquitto_passwd(1)
    **/rsyncd.secrets **/rsync*.secrets **/pgbouncer/userlist.txt **/mosquitto/passw*
    **/mosquitto/pwfile /etc/squid/passw* /etc/zabbix/*.psk /etc/dovecot/*.passwd
applications | Jenkins, GitLab, Rails, Keystone, FreeIPA, Node-RED, Artifactory, Proxmox
    **/jenkins*/secrets/** **/jenkins*/secret.key **/jenkins*/identity.key.enc
    /etc/gitlab/gitlab-secrets.json /etc/gitlab/initial_root_password **/config/master.key
    **/config/credentials/*.key **/keystone/fernet-keys/** **/keystone/credential-keys/**
    **/flows_cred.json **/artifactory/**/security/*.key **/one_auth /etc/pve/priv/**
    **/pwdfile.txt /etc/dirsrv/**/pin.txt **/nssdb/pin.txt **/*.decrypt.private.php
second factors | google-authenticator(1), users.oath(5)
    **/.google_authenticator /etc/users.oath /etc/liboath/** **/.config/sops/age/keys.txt
Tor, wallets | tor(1), Bitcoin Core, Ethereum
    **/hs_ed25519_secret_key /var/lib/tor/keys/** /var/lib/tor/**/private_key **/wallet.dat
    **/keystore/UTC--*
cloud-init | cloud-init: instance data
    /run/cloud-init/instance-data-sensitive.json /var/lib/cloud/**/sem/*password*
secure boot | sbctl(8), update-secureboot-policy(1)
    /var/lib/shim-signed/mok/*.priv /var/lib/sbctl/**/*.key /usr/share/secureboot/keys/**/*.key
"""

NOT_SECRET = (
    "**/*.pub", "**/*.crt", "**/*.cer", "**/*.csr", "**/*.crl", "**/cacerts", "**/*truststore*",
    "/run/secrets/**/namespace", "/var/run/secrets/**/namespace", "**/README*", "/etc/ssl/private",
    "**/*.example", "**/*.sample",
)  # fmt: skip
"""Public halves of keys, stores of public certificates, and documents, wherever they lie."""

PROGRAMS = (
    "/bin/**", "/sbin/**", "/usr/bin/**", "/usr/sbin/**", "/usr/include/**", "/usr/lib/python*/**",
    "/usr/share/bash-completion/**", "/usr/share/doc/**", "/usr/share/man/**", "/usr/share/zsh/**",
    "**/site-packages/**", "**/dist-packages/**", "**/node_modules/**",
)  # fmt: skip
"""Where a name such as `htpasswd` is that of a program, its manual or its source."""
