"""The environments of `scripts/acceptance`: what real machines, images and containers are like.

Each is built from this machine's own package sources, with an application that answers.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple


class Captured(Enum):
    """How an environment is captured."""

    CONTAINER = auto()
    FOLDER = auto()
    HOST = auto()
    SSH = auto()
    COMPOSE = auto()


class Environment(NamedTuple):
    """One environment.

    `packages` are Debian packages of `suite`, or none for a root of rpm packages.  `wheels` and
    `npm` are fetched on this machine into ``/tmp/wheels`` and ``/srv/app``.  `setup` is a shell
    script that runs in the root directory, `running` one that runs in the container before it is
    captured.  `options` are those of ``envlock capture``.  In the rebuilt image the script `ask`
    must print `answer`.  Where it needs a command first, or cannot start, `told` is what
    ``materialize`` must have said, and the script runs that command, or proves that it does not
    start.
    """

    name: str
    title: str
    packages: str
    ask: str
    answer: str
    suite: str = "bookworm"
    wheels: str = ""
    npm: str = ""
    setup: str = ""
    running: str = ""
    options: tuple[str, ...] = ()
    captured: Captured = Captured.CONTAINER
    told: str = ""


_POSTGRES = "postgresql ca-certificates"
_START_POSTGRES = "pg_ctlcluster 15 main start"
_PSQL = f"{_START_POSTGRES}; su postgres -c 'psql -At -c \"$0\"'"
_NEW_CERTIFICATE = "make-ssl-cert generate-default-snakeoil --force-overwrite"
_COUNT = "select count(*) from orders"
_FILL = f"{_PSQL} 'create table orders as select generate_series(1, 200000) as id'"
_HTTP = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"served")
http.server.HTTPServer(("127.0.0.1", 8000), Answer).serve_forever()
"""
_SERVE = f"mkdir -p /srv/app && cat > /srv/app/serve.py <<'CODE'\n{_HTTP}\nCODE\n"
_ASK_HTTP = """
python3 /srv/app/serve.py >/dev/null 2>&1 & sleep 1
python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/').read().decode())"
"""
_NGINX = """
nginx && sleep 1
python3 -c "import urllib.request as u; print(u.urlopen('http://127.0.0.1/').status)"
"""
_STACK = """
numpy==1.26.4 pandas==2.2.2 scikit-learn==1.5.0 scipy==1.13.1 matplotlib==3.9.0 jinja2 click
requests==2.32.3 werkzeug sqlalchemy==2.0.30 pyyaml attrs rich pydantic networkx pillow==10.3.0
tqdm lxml==5.2.2 psutil cryptography==42.0.8
"""
_FOR_TORCH = "filelock typing-extensions sympy mpmath networkx jinja2 markupsafe fsspec numpy"
_BY_HAND = """
python3 -m venv /srv/app/venv
/srv/app/venv/bin/pip install -q --no-index --find-links /tmp/wheels \\
    pandas scikit-learn matplotlib lxml networkx psutil cryptography rich pydantic requests \\
    sqlalchemy pyyaml tqdm attrs jinja2 click
echo "worker_rlimit_nofile 4096;" >> /etc/nginx/nginx.conf
sed -i "s/^#PasswordAuthentication.*/PasswordAuthentication no/" /etc/ssh/sshd_config
chmod 0750 /usr/bin/git
mkdir -p /etc/systemd/system/multi-user.target.wants
printf "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n" \
    > /etc/systemd/system/mine.service
ln -s /etc/systemd/system/mine.service /etc/systemd/system/multi-user.target.wants/mine.service
rm -rf /usr/share/doc/git /usr/share/man/man1
chmod u+s /usr/bin/sort
setcap cap_net_bind_service=+ep "$(readlink -f /usr/bin/python3)"
mkdir -p /srv/app/deep
printf latin > "$(printf "/srv/app/caf\351\nname")"
echo data > /srv/app/data
ln /srv/app/data /srv/app/deep/link
mkfifo /srv/app/pipe
"""
_ASK_HAND = """
nginx -t 2>&1 && nginx && (redis-server --daemonize yes >/dev/null)
test -z "$(dpkg --audit)" && apt-get check -qq && sleep 1 && redis-cli ping
getcap "$(readlink -f /usr/bin/python3)" && stat -c %a /usr/bin/git /usr/bin/sort
/srv/app/venv/bin/pip check --disable-pip-version-check
/srv/app/venv/bin/python -c 'import numpy, pandas, sklearn.linear_model, lxml.etree
frame = pandas.DataFrame({"x": numpy.arange(9.0)})
print("slope", sklearn.linear_model.LinearRegression().fit(frame, frame.x * 2).coef_.round(3))'
"""

ENVIRONMENTS = (
    Environment(
        "web", "nginx, Redis, git, OpenSSH and 20 wheels, changed by hand",
        "nginx redis-server git openssh-server python3 python3-venv libcap2-bin ca-certificates",
        wheels=_STACK, setup=_BY_HAND, ask=_ASK_HAND, answer="slope [2.]",
    ),
    Environment(
        "postgres-empty", "PostgreSQL as it is installed, its databases left out", _POSTGRES,
        ask=f"{_NEW_CERTIFICATE}; rm -rf /var/lib/postgresql/15/main; su postgres -c"
        f" '/usr/lib/postgresql/15/bin/initdb -D /var/lib/postgresql/15/main' >/dev/null;"
        f" {_PSQL} 'select 40 + 2'",
        answer="42", told="/var/lib/postgresql/15/main",
    ),
    Environment(
        "postgres-stopped", "PostgreSQL with data, stopped, taken whole", _POSTGRES,
        running=f"{_FILL}\npg_ctlcluster 15 main stop",
        options=("--with-state", "/var/lib/postgresql/15/main"),
        ask=f"{_NEW_CERTIFICATE}; {_PSQL} '{_COUNT}'", answer="200000",
        told=_NEW_CERTIFICATE,
    ),
    Environment(
        "postgres-running", "PostgreSQL that runs, its databases left out", _POSTGRES,
        running=_FILL, ask=f"{_NEW_CERTIFICATE}; {_START_POSTGRES} 2>&1 || echo it does not start",
        answer="it does not start", told="/var/lib/postgresql/15/main",
    ),
    Environment(
        "node", "Node with TypeScript, webpack and Express", "nodejs ca-certificates",
        npm="typescript@5.5.4 webpack@5.94.0 express@4.19.2 @types/node@20.14.0",
        ask="cd /srv/app && echo 'const n: number = 40 + 2; console.log(n)' > /tmp/a.ts"
        " && node node_modules/typescript/bin/tsc --outDir /tmp /tmp/a.ts; node /tmp/a.js;"
        " node -e \"require('express')(); require('webpack')\"",
        answer="42",
    ),
    Environment(
        "c", "C and C++ with CMake, and a program built there",
        "build-essential cmake libssl-dev",
        setup="mkdir -p /srv/app && cd /srv/app && printf '#include <openssl/crypto.h>\\n"
        "#include <cstdio>\\nint main(){std::puts(OpenSSL_version(0));}\\n' > a.cc"
        " && g++ -o version a.cc -lcrypto",
        ask="cd /srv/app && ./version && g++ -o /tmp/b a.cc -lcrypto && /tmp/b && cmake --version",
        answer="OpenSSL 3",
    ),
    Environment(
        "java", "Java with its compiler", "openjdk-17-jdk-headless ca-certificates-java",
        setup="mkdir -p /srv/app && cd /srv/app && printf 'class A { public static void main("
        "String[] a) { System.out.println(6 * 7); } }' > A.java && javac A.java",
        ask="cd /srv/app && java -cp . A && javac -d /tmp A.java", answer="42",
    ),
    Environment(
        "python", "Python: user site, editable, source distribution, two environments",
        "python3 python3-venv python3-pip",
        wheels="flask==3.0.3 numpy==1.26.4 requests==2.32.3 cryptography==42.0.8 setuptools wheel",
        setup="""
        useradd --create-home ada; mkdir -p /srv/app/own
        cd /srv/app && for name in one two; do python3 -m venv $name
        $name/bin/pip install -q --no-index --find-links /tmp/wheels flask numpy setuptools wheel
        done
        su ada -c 'pip install -q --user --break-system-packages --no-index \
            --find-links /tmp/wheels requests'
        two/bin/pip install -q --no-index --find-links /tmp/wheels cryptography
        cd own && printf '[project]\\nname = "own"\\nversion = "1"\\n' > pyproject.toml
        printf 'ANSWER = 42\\n' > own.py
        ../one/bin/pip install -q --no-index --no-build-isolation --editable .
        cp -r /srv/app/own /srv/app/built
        ../two/bin/pip install -q --no-index --no-build-isolation /srv/app/built
        """,
        ask="cd / && /srv/app/one/bin/python -c 'import flask, numpy, own; print(own.ANSWER)' &&"
        " /srv/app/two/bin/python -c 'import cryptography.hazmat.bindings._rust, own' &&"
        " su ada -c 'python3 -c \"import requests\"'",
        answer="42",
    ),
    Environment(
        "torch", "PyTorch for CPUs, which PyTorch's own index has", "python3 python3-venv libgomp1",
        wheels=f"torch==2.13.0+cpu {_FOR_TORCH}",
        setup="python3 -m venv /srv/app && /srv/app/bin/pip install -q --no-deps --no-index"
        f" --find-links /tmp/wheels torch {_FOR_TORCH}",
        ask="/srv/app/bin/python -c 'import torch; print(int(torch.ones(42).sum()))'",
        answer="42",
    ),
    Environment(
        "tex-r", "Debian trixie with TeX and R", "texlive-latex-base r-base-core",
        suite="trixie",
        ask="Rscript -e 'cat(6 * 7)'; cd /tmp && printf '\\\\documentclass{article}"
        "\\\\begin{document}a\\\\end{document}' > a.tex && pdflatex a.tex >/dev/null && ls a.pdf",
        answer="42a.pdf",
    ),
    Environment(
        "office", "Debian bullseye with LibreOffice", "libreoffice-writer-nogui",
        suite="bullseye",
        ask="cd /tmp && echo text > a.txt && HOME=/tmp soffice --headless --convert-to pdf a.txt"
        " >/dev/null 2>&1; ls a.pdf",
        answer="a.pdf",
    ),
    Environment(
        "folder", "A machine's root directory", "nginx-light openssh-server python3 cron sudo",
        setup="echo 'worker_rlimit_nofile 4096;' >> /etc/nginx/nginx.conf; chmod u+s /usr/bin/sort",
        captured=Captured.FOLDER, ask=_NGINX, answer="200",
    ),
    Environment(
        "host", "A machine from within", "nginx-light python3 python3-venv cron",
        setup="useradd ada; chmod 0750 /usr/bin/perl", options=("--deep",),
        captured=Captured.HOST, ask=_NGINX, answer="200",
    ),
    Environment(
        "ssh", "A machine over ssh", "openssh-server python3 nginx-light",
        options=("--deep",), captured=Captured.SSH, ask=_NGINX, answer="200",
    ),
    Environment(
        "multiarch", "Libraries of two architectures", "python3 libc6:i386 zlib1g:i386",
        setup=_SERVE, ask=_ASK_HTTP + "ls /lib/i386-linux-gnu/libz.so.1", answer="served",
    ),
    Environment(
        "many", "100,000 files of its own", "python3",
        setup=_SERVE + "cd /srv/app && python3 -c 'import os\n"
        'for n in range(100000):\n os.makedirs(f"d/{n // 1000}", exist_ok=True)\n'
        ' open(f"d/{n // 1000}/{n}", "w").write(str(n))\'',
        ask="ls /srv/app/d/99 | wc -l;" + _ASK_HTTP, answer="1000",
    ),
    Environment(
        "sparse", "A sparse file of 3 GB", "python3",
        setup=_SERVE + "truncate -s 3G /srv/app/image && printf end >> /srv/app/image",
        ask="stat -c %s /srv/app/image; tail -c 3 /srv/app/image", answer="3221225475\nend",
    ),
    Environment("rpm", "A root of rpm packages", "", ask="cat /etc/shop/edited.conf", answer="="),
    Environment(
        "compose", "A compose project of three", "nginx-light redis-server python3",
        setup=_SERVE, captured=Captured.COMPOSE, ask=_ASK_HTTP, answer="served",
    ),
)  # fmt: skip
