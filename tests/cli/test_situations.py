"""Situations from the trackers of other projects: what a noisy class or a secret hides.

docs/explanation/situations.md lists them, with what happens in the field.
"""

from __future__ import annotations


def test_settings_of_a_service_with_a_user_of_its_own(pair):
    path = "var/lib/private/AdGuardHome/AdGuardHome.yaml"
    pair.good.put(path, "dns:\n  port: 53\n", 0o600)
    pair.bad.put(path, "dns:\n  port: 5353\n", 0o600)
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_arguments_of_a_snap(pair):
    path = "var/snap/microk8s/4000/args/kube-apiserver"
    pair.good.put(path, "--service-node-port-range=80-32767\n")
    pair.good.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "1")
    pair.bad.put(path, "--authorization-mode=AlwaysAllow\n")
    pair.bad.put("var/snap/microk8s/common/var/lib/x/etc/hosts.conf", "2")
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_an_override_of_flatpak(pair):
    path = "var/lib/flatpak/overrides/org.example.App"
    pair.good.put(path, "[Context]\nfilesystems=host;\n")
    (pair.bad.path / path).unlink()
    assert pair.records() == {("file", f"/{path}"): "medium"}


def test_a_template_of_containerd(pair):
    folder = "var/lib/rancher/k3s/agent/etc/containerd"
    pair.good.put(f"{folder}/config.toml", "made at 10:00\n")
    pair.bad.put(f"{folder}/config.toml", "made at 11:00\n")
    pair.bad.put(f"{folder}/config.toml.tmpl", '{{ template "base" . }}\n')
    assert set(pair.records()) == {("file", f"/{folder}/config.toml.tmpl")}


def test_what_decides_below_var_lib_is_told_whichever_side_has_it(pair):
    pair.good.put("var/lib/cni/networks/x/10.88.0.5", "a lease")
    for name in ("x/a", "nftables/a", "polkit-1/a", "vim/addons/a"):
        pair.good.put(f"var/lib/{name}.lock", "")
    pair.good.put("var/lib/vim/addons/doc/tags", "1")
    pair.bad.put("var/lib/vim/addons/doc/tags", "2")
    pair.bad.put("var/lib/cni/networks/x/10.88.0.5", "another")
    pair.bad.put("var/lib/cni/bin/bridge", "x", 0o755)
    pair.bad.put("var/lib/nftables/rules.nft", "table inet x {}\n")
    pair.bad.put("var/lib/polkit-1/localauthority/50-local.d/x.pkla", "[x]\nAction=*\n")
    pair.bad.put("etc/iptables/rules.v4", "*filter\nCOMMIT\n")
    told = {change["key"]: change for change in pair.changes()}
    assert {change["severity"] for change in told.values()} == {"medium"}
    assert any(key.startswith("/var/lib/cni/bin") for key in told)
    assert any(key.startswith("/var/lib/nftables") for key in told)
    assert any(key.startswith("/var/lib/polkit-1") for key in told)
    assert "rules.v4" in told["/etc/iptables"]["right"]


def test_a_table_of_incron(pair):
    pair.good.put("var/spool/incron/root", "/srv/in IN_CLOSE_WRITE /usr/local/bin/import $#\n")
    pair.good.put("var/spool/anacron/cron.daily", "20240101\n", 0o600)
    pair.bad.put("var/spool/anacron/cron.daily", "20240102\n", 0o600)
    (pair.bad.path / "var/spool/incron/root").unlink()
    assert pair.records() == {("file", "/var/spool/incron/root"): "medium"}


def test_settings_of_a_batch_system(pair):
    pair.good.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /home\n")
    pair.good.put("var/spool/pbs/mom_logs/20240101", "a")
    pair.bad.put("var/spool/pbs/mom_priv/config", "$usecp *:/home /data\n")
    pair.bad.put("var/spool/pbs/mom_logs/20240102", "b")
    assert pair.records() == {("file", "/var/spool/pbs/mom_priv/config"): "medium"}


def test_an_old_resolver_in_the_chroot_of_postfix(pair):
    pair.good.put("etc/postfix/master.cf", "smtp inet n - y - - smtpd\n")
    for folder in ("etc", "var/spool/postfix/etc"):
        pair.good.put(f"{folder}/resolv.conf", "nameserver 192.0.2.1\n")
    assert pair.verdicts("good") == []
    pair.bad.put("var/spool/postfix/etc/resolv.conf", "nameserver 192.0.2.9\n")
    assert pair.records() == {("setting", "postfix.chroot"): "medium"}
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]
    (pair.bad.path / "var/spool/postfix/etc/resolv.conf").unlink()
    assert pair.verdicts() == [("POSTFIX-CHROOT", "medium", "postfix.chroot")]


def test_an_account_that_ends(pair):
    pair.good.put("etc/shadow", "root:*:19000:0:99999:7:::\napp:!:19000:0:99999:7:::\n", 0o640)
    pair.bad.put("etc/shadow", "root:*:19111:0:99999:7:::\napp:!:19222:0:90:7::19500:\n", 0o640)
    assert pair.records() == {("login", "app"): "high"}


def test_the_rights_of_a_private_key(pair):
    """Its content is compared nowhere, but a program refuses a key that others may read."""
    text = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbg==\n-----END OPENSSH PRIVATE KEY-----\n"
    paths = ("home/app/.ssh/id_ed25519", "home/app/.pgpass")
    for path in paths:
        pair.good.put(path, text, 0o600)
    for path in paths:
        (pair.bad.path / path).chmod(0o644)
    found = {c["key"]: (c["field"], c["fix"]) for c in pair.changes()}
    assert found == {
        f"/home/app/{name}": ("mode", f"chmod 0600 /home/app/{name}")
        for name in (".pgpass", ".ssh/id_ed25519")
    }
