"""Five small services, as they lie on a development machine and in a slim image.

Each answers one request after it has loaded what a service of its kind loads, and runs one program.
`scripts/scope-pairs` builds, starts and compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

FAT = """\
build-essential cmake gdb git vim nano python3-venv python3-dev python3-doc python3-numpy
python3-requests python3-yaml manpages-dev locales-all chromium postgresql redis-server nginx
php-fpm php-cli php-gd php-mbstring php-xml nodejs npm openjdk-17-jdk-headless imagemagick ffmpeg
graphviz openssh-server sudo cron systemd-sysv less man-db tmux htop strace ltrace jq wget curl
rsync zip unzip sqlite3 libpq-dev libxml2-dev libxslt1-dev libjpeg-dev zlib1g-dev libssl-dev
libffi-dev ca-certificates tzdata poppler-utils gifsicle jpegoptim ghostscript shellcheck
"""
"""Debian packages of the development machine, which all services share."""

BUILDER = "python3-venv"
APP = "/opt/app"
"""Directory of the service in the image."""

OTHER_PROJECT = "jinja2 click packaging"
"""Distributions of another project on the development machine, with an environment of its own."""


class Service(NamedTuple):
    """One service.

    `home` is its directory on the development machine, `packages` the Debian packages of its image
    beside the essential ones, `tool` the program that it runs.  `command` starts it from its
    directory.  `wheels` and `npm` are what its environment holds, `files` its own files by path
    from its directory, `system_files` files by absolute path.  `build` is a shell command that the
    development machine runs in the directory.  `dev_roots` and `prod_roots` are its roots by role.
    `answer` is in what it answers to ``GET /`` at `port`.
    """

    name: str
    title: str
    home: str
    packages: tuple[str, ...]
    tool: str
    command: tuple[str, ...]
    port: int
    answer: str
    files: Mapping[str, str]
    dev_roots: Mapping[str, str]
    prod_roots: Mapping[str, str]
    wheels: str = ""
    npm: str = ""
    build: str = ""
    system_files: Mapping[str, str] = {}


_COMMON = ("ca-certificates", "tzdata")
_GUNICORN = (".venv/bin/gunicorn", "--workers", "2", "--bind")

_SHOP = """\
import subprocess

import flask
import numpy
import pandas
import psycopg

app = flask.Flask(__name__)


@app.get("/")
def total():
    prices = pandas.DataFrame({"price": numpy.arange(1.0, 5.0)})
    tool = subprocess.run(["jq", ".a"], input='{"a": 7}', capture_output=True, text=True)
    now = pandas.Timestamp.now(tz="Europe/Berlin")
    inverse = numpy.linalg.inv(numpy.eye(3))
    return {
        "total": float(prices.price.sum()), "jq": tool.stdout, "libpq": psycopg.pq.version(),
        "year": now.year, "trace": float(inverse.trace()),
    }
"""

_BLOG = """\
import io
import subprocess

import lxml.etree
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import JsonResponse
from django.urls import path
from PIL import Image

PAGE = b"<feed><entry>one</entry><entry>two</entry></feed>"


def feed(request):
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").resize((20, 15)).save(picture, "JPEG")
    tool = subprocess.run(["pdfinfo", "-v"], capture_output=True, text=True)
    with connection.cursor() as cursor:
        cursor.execute("select sqlite_version()")
        sqlite = cursor.fetchone()[0]
    entries = len(lxml.etree.fromstring(PAGE).xpath("//entry"))
    return JsonResponse({
        "entries": entries, "jpeg": len(picture.getvalue()), "sqlite": sqlite,
        "pdfinfo": tool.stderr.split("\\n")[0],
    })


settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="of-an-example",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
urlpatterns = [path("", feed)]
app = get_wsgi_application()
"""

_THUMBS = """\
const http = require("node:http");
const { execFile } = require("node:child_process");
const sharp = require("sharp");

http.createServer((request, response) => {
  const create = { width: 40, height: 30, channels: 3, background: "navy" };
  sharp({ create }).resize(20, 15).jpeg().toBuffer().then((picture) => {
    execFile("gifsicle", ["--version"], (error, stdout) => {
      const tool = error ? "" : stdout.split("\\n")[0];
      response.end(JSON.stringify({ jpeg: picture.length, gifsicle: tool }));
    });
  });
}).listen(18083, "127.0.0.1");
"""

_FORUM = """\
<?php
$picture = imagecreatetruecolor(40, 30);
ob_start();
imagejpeg($picture);
$jpeg = strlen(ob_get_clean());
$xml = simplexml_load_string("<feed><entry>one</entry></feed>");
$tool = explode("\\n", shell_exec("jpegoptim --version") ?? "")[0];
$upper = mb_strtoupper("grün", "UTF-8");
echo json_encode(["jpeg" => $jpeg, "entries" => count($xml->entry), "name" => $upper,
                  "jpegoptim" => $tool]);
"""

_FORUM_START = """\
#!/bin/sh
mkdir -p /run/php
/usr/sbin/php-fpm8.2 --daemonize
exec /usr/sbin/nginx -g 'daemon off;'
"""

_FORUM_SITE = """\
server {
    listen 127.0.0.1:18084;
    root /srv/forum;
    location / {
        include fastcgi_params;
        fastcgi_param SCRIPT_FILENAME $document_root/index.php;
        fastcgi_pass unix:/run/php/php8.2-fpm.sock;
    }
}
"""

_LEDGER = """\
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.*;
import java.security.MessageDigest;
import java.util.zip.CRC32;

public class Ledger {
    public static void main(String[] words) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 18085), 0);
        server.createContext("/", exchange -> {
            String tool;
            try {
                Process zip = new ProcessBuilder("zip", "-v").start();
                tool = new String(zip.getInputStream().readAllBytes()).split("\\n")[1];
            } catch (Exception missing) {
                tool = "";
            }
            CRC32 sum = new CRC32();
            sum.update(tool.getBytes());
            String text = "{\\"rate\\": " + Rates.of("EUR") + ", \\"zip\\": \\"" + tool + "\\"}";
            exchange.sendResponseHeaders(200, text.getBytes().length);
            exchange.getResponseBody().write(text.getBytes());
            exchange.close();
        });
        MessageDigest.getInstance("SHA-256");
        javax.net.ssl.SSLContext.getDefault();
        server.start();
    }
}
"""

_LEDGER_START = """\
#!/bin/sh
exec java -jar ledger.jar
"""

_RATES = "public class Rates { public static double of(String name) { return 1.5; } }\n"

LEDGER_BUILD = """
mkdir -p lib out && javac -d out Rates.java && printf 'Implementation-Title: rates
Implementation-Version: {version}\\n' > rates.mf &&
jar --create --file lib/rates-{version}.jar --manifest rates.mf --date 2024-01-01T00:00:00Z \\
    -C out Rates.class &&
rm -r out && mkdir out && javac -cp lib/rates-{version}.jar -d out Ledger.java &&
printf 'Main-Class: Ledger\\nClass-Path: lib/rates-{version}.jar\\n' > ledger.mf &&
jar --create --file ledger.jar --manifest ledger.mf --date 2024-01-01T00:00:00Z -C out . &&
rm -r out *.mf
"""
"""Builds the jars of the Java service; `{version}` is that of its library."""

SERVICES = (
    Service(
        name="flask",
        title="Flask, numpy, pandas, psycopg",
        home="/home/dev/shop",
        packages=("python3", "libpq5", "jq", *_COMMON),
        tool="jq",
        command=(*_GUNICORN, "127.0.0.1:18081", "shop:app"),
        port=18081,
        answer='"total":10.0',
        files={"shop.py": _SHOP},
        dev_roots={"app": "python:/home/dev/shop/.venv", "tool": "exe:/usr/bin/jq"},
        prod_roots={"app": "process", "tool": "exe:/usr/bin/jq"},
        wheels="flask==3.0.3 werkzeug==3.0.6 numpy==2.2.6 pandas==2.2.3 psycopg==3.2.3"
        " gunicorn==23.0.0 nvidia-cuda-runtime-cu12==12.4.127",
    ),
    Service(
        name="django",
        title="Django, Pillow, lxml",
        home="/home/dev/blog",
        packages=("python3", "poppler-utils", *_COMMON),
        tool="pdfinfo",
        command=(*_GUNICORN, "127.0.0.1:18082", "blog:app"),
        port=18082,
        answer='"entries": 2',
        files={"blog.py": _BLOG},
        dev_roots={"app": "python:/home/dev/blog/.venv", "tool": "exe:/usr/bin/pdfinfo"},
        prod_roots={"app": "process", "tool": "exe:/usr/bin/pdfinfo"},
        wheels="django==5.1.4 pillow==11.0.0 lxml==5.3.0 gunicorn==23.0.0",
    ),
    Service(
        name="node",
        title="Node with sharp",
        home="/home/dev/thumbs",
        packages=("nodejs", "gifsicle", *_COMMON),
        tool="gifsicle",
        command=("node", "server.js"),
        port=18083,
        answer='"jpeg":',
        files={"server.js": _THUMBS},
        dev_roots={"app": "node:/home/dev/thumbs", "tool": "exe:/usr/bin/gifsicle"},
        prod_roots={"app": "process", "tool": "exe:/usr/bin/gifsicle"},
        npm="sharp@0.33.5",
    ),
    Service(
        name="php",
        title="nginx and php-fpm",
        home="/home/dev/forum",
        packages=(
            *("nginx", "php8.2-fpm", "php8.2-gd", "php8.2-mbstring", "php8.2-xml", "jpegoptim"),
            *_COMMON,
        ),
        tool="jpegoptim",
        command=("./start",),
        port=18084,
        answer='"entries":1',
        files={"start": _FORUM_START},
        dev_roots={
            "web": "service:nginx",
            "app": "service:php8.2-fpm",
            "tool": "exe:/usr/bin/jpegoptim",
        },
        prod_roots={
            "web": "exe:/usr/sbin/nginx",
            "app": "exe:/usr/sbin/php-fpm8.2",
            "tool": "exe:/usr/bin/jpegoptim",
        },
        system_files={
            "/etc/nginx/conf.d/forum.conf": _FORUM_SITE,
            "/srv/forum/index.php": _FORUM,
        },
    ),
    Service(
        name="java",
        title="a Java jar",
        home="/home/dev/ledger",
        packages=("openjdk-17-jre-headless", "zip", *_COMMON),
        tool="zip",
        command=("./start",),
        port=18085,
        answer='"rate": 1.5',
        files={"start": _LEDGER_START, "Ledger.java": _LEDGER, "Rates.java": _RATES},
        dev_roots={"app": "exe:/home/dev/ledger/start", "tool": "exe:/usr/bin/zip"},
        prod_roots={"app": "process", "tool": "exe:/usr/bin/zip"},
        build=LEDGER_BUILD.format(version="1.2"),
    ),
)
"""Every service that is measured."""
