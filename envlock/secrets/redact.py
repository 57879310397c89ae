"""Redact what is recorded: the values of environment variables, arguments, and lines of files.

Secrets are kept out in three steps.  The value of a variable is recorded only when its name is on a
list of variables that affect software.  Every value that would be recorded is then judged by its
name and shape (`envlock.secrets.values`), every file by `envlock.secrets.files`.  And URLs lose
their credentials everywhere (`envlock.secrets.urls`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from envlock.model.record import Record
from envlock.model.text import to_bytes
from envlock.secrets.keyed import ValueKey
from envlock.secrets.plain_values import plain_shape
from envlock.secrets.reading import Reading, Syntax
from envlock.secrets.settings import redact_settings
from envlock.secrets.settings import redact_text as redact_reading
from envlock.secrets.values import Demand, judge_value

ALLOWED = (
    "PATH", "LANG", "LANGUAGE", "LC_*", "TZ", "HOME_MODE", "UMASK", "DEBIAN_FRONTEND",
    "LD_LIBRARY_PATH", "LD_PRELOAD", "LD_BIND_NOW", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES",
    "PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE",
    "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONMALLOC", "PYTHONNOUSERSITE", "PYTHONOPTIMIZE",
    "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONWARNINGS", "PYTHONFAULTHANDLER",
    "PYTHONDEVMODE", "PYTHONCOERCECLOCALE", "PYTHONBREAKPOINT", "PYTHONPLATLIBDIR",
    "PYTHONPYCACHEPREFIX", "PYTHONTRACEMALLOC", "PYTHONINTMAXSTRDIGITS", "PYTHONASYNCIODEBUG",
    "PYTHONLEGACYWINDOWSSTDIO", "PYTHONPROFILEIMPORTTIME", "PYTHONNODEBUGRANGES", "PYTHON_GIL",
    "PYTHON_COLORS", "PYTHON_HISTORY", "PYTHON_VERSION", "PYTHON_SHA256",
    "PYTHON_PIP_VERSION", "PYTHON_SETUPTOOLS_VERSION", "PYTHON_GET_PIP_URL",
    "PYTHON_GET_PIP_SHA256", "VIRTUAL_ENV", "CONDA_DEFAULT_ENV", "CONDA_PREFIX", "PIP_NO_CACHE_DIR",
    "UV_*_DIR", "UV_COMPILE_BYTECODE", "UV_LINK_MODE", "POETRY_VERSION",
    "NODE_ENV", "NODE_VERSION", "NODE_OPTIONS", "NPM_CONFIG_LOGLEVEL", "YARN_VERSION",
    "JAVA_HOME", "JAVA_VERSION", "JAVA_OPTS", "JAVA_TOOL_OPTIONS", "MAVEN_OPTS", "GOPATH",
    "GOVERSION", "GOLANG_VERSION", "GOFLAGS", "RUST_VERSION", "RUSTFLAGS", "CARGO_HOME",
    "RUSTUP_HOME", "RUBY_VERSION", "GEM_HOME", "BUNDLE_PATH", "PERL5LIB", "R_HOME", "R_LIBS*",
    "PHP_VERSION", "PHP_INI_DIR", "CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "MAKEFLAGS",
    "OMP_*", "GOMP_*", "OPENBLAS_*", "MKL_*", "BLIS_*", "FLEXIBLAS*", "NUMEXPR_*", "NUMBA_*",
    "KMP_*", "GOTO_NUM_THREADS", "TBB_*",
    "VECLIB_MAXIMUM_THREADS", "NPY_DISABLE_CPU_FEATURES", "ATEN_CPU_CAPABILITY",
    "CUDA_VERSION", "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING", "CUDA_MODULE_LOADING", "CUDA_DEVICE_MAX_CONNECTIONS", "CUDA_CACHE_*",
    "CUDA_FORCE_PTX_JIT", "CUDA_DISABLE_PTX_JIT", "CUDA_MPS_*", "CUBLAS_*", "CUBLASLT_*", "CUDNN_*",
    "NCCL_*", "NVSHMEM_*", "NV_*_VERSION", "NVIDIA_TF32_OVERRIDE", "NVIDIA_IMEX_CHANNELS",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_REQUIRE_*",
    "NVIDIA_DISABLE_REQUIRE", "NVARCH", "PYTORCH_*", "TORCH_CUDA_ARCH_LIST", "TF_CPP_MIN_LOG_LEVEL",
    "TF_CPP_MIN_VLOG_LEVEL", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS",
    "TF_GPU_ALLOCATOR", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "TF_GPU_THREAD_MODE",
    "TF_CUDNN_USE_AUTOTUNE", "TF_CUDNN_DETERMINISTIC", "TF_DETERMINISTIC_OPS",
    "TF_ENABLE_AUTO_MIXED_PRECISION", "TF_FORCE_UNIFIED_MEMORY", "TF_USE_LEGACY_KERAS",
    "TF_DISABLE_MKL", "TF_CONFIG_MODE", "XLA_FLAGS",
    "JAX_PLATFORMS", "TORCH_NCCL_*", "GLOO_SOCKET_IFNAME", "ROCM_PATH", "ROCM_HOME",
    "ROCR_VISIBLE_DEVICES", "HIP_*", "HSA_*", "GPU_DEVICE_ORDINAL", "MIOPEN_*", "RCCL_*",
    "ZE_AFFINITY_MASK", "OMPI_MCA_*", "UCX_*", "FI_PROVIDER", "I_MPI_*", "SLURM_CPU_BIND",
    "MODULEPATH", "EBROOT*", "EBVERSION*", "SPACK_ROOT",
    "NGINX_VERSION", "NJS_VERSION", "PG_VERSION", "PG_MAJOR", "PGDATA", "REDIS_VERSION",
    "MYSQL_VERSION", "MONGO_VERSION", "NO_PROXY", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY",
    "FTP_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "ftp_proxy", "all_proxy",
    "WEB_CONCURRENCY", "OPENSSL_CONF", "OPENSSL_MODULES", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "NODE_PATH",
    "NODE_TLS_REJECT_UNAUTHORIZED", "PYTHONHTTPSVERIFY", "GIT_SSL_NO_VERIFY", "RUBYLIB", "RUBYOPT",
    "GEM_PATH", "PERL5OPT", "CLASSPATH", "LD_AUDIT", "APP_ENV", "APP_ENVIRONMENT", "RAILS_ENV",
    "RACK_ENV", "FLASK_ENV", "MIX_ENV", "GO_ENV", "SYMFONY_ENV", "DEPLOY_ENV", "ENVIRONMENT",
    "ASPNETCORE_ENVIRONMENT", "ASPNETCORE_URLS", "DOTNET_ENVIRONMENT", "DOTNET_VERSION",
    "DJANGO_SETTINGS_MODULE", "SPRING_PROFILES_ACTIVE", "LOG_LEVEL", "LOGLEVEL", "GODEBUG", "GOGC",
    "GOMAXPROCS", "GOMEMLIMIT", "UV_THREADPOOL_SIZE", "RAILS_MAX_THREADS", "GUNICORN_WORKERS",
    "SOURCE_DATE_EPOCH", "TERM_PROGRAM_VERSION",
)  # fmt: skip
"""Variables whose values affect software and are not secrets; `*` as in a shell."""

VOLATILE = (
    "_", "SHLVL", "PWD", "OLDPWD", "TERM", "COLORTERM", "COLUMNS", "LINES", "HOSTNAME", "HOST",
    "USER", "LOGNAME", "USERNAME", "HOME", "MAIL", "SHELL", "DISPLAY", "WAYLAND_DISPLAY",
    "XAUTHORITY", "WINDOWID", "SSH_*", "GPG_TTY", "GPG_AGENT_INFO", "DBUS_SESSION_BUS_ADDRESS",
    "XDG_*", "DESKTOP_SESSION", "SESSION_MANAGER", "LS_COLORS", "LESS*", "PAGER", "EDITOR",
    "VISUAL", "PS1", "PS2", "PS4", "PROMPT_COMMAND", "HIST*", "BASH*", "ZSH*", "TMUX*", "STY",
    "TMPDIR", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_*", "MANAGERPID", "NOTIFY_SOCKET",
    "LISTEN_*", "SUDO_*", "CI", "CI_*", "GITHUB_*", "GITLAB_*", "RUNNER_*", "BUILDKITE*",
    "JENKINS_*", "PYTEST_*", "COVERAGE_*", "VSCODE_*", "TERM_PROGRAM*", "ENVLOCK_*", "NO_COLOR",
    "FORCE_COLOR", "CLICOLOR*", "debian_chroot", "PYTHONUNBUFFERED_SESSION",
)  # fmt: skip
"""Variables of a session instead of an environment: on a host they are not recorded."""


_DEVICE = re.compile(r"\b(GPU|MIG)-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""The UUID of a GPU, as in NVIDIA_VISIBLE_DEVICES: it identifies a single device."""


def redact_text(text: str) -> str:
    """Return a kernel command line, argument or line with secrets replaced by ``***``."""
    return redact_reading(text, Reading(Syntax.SHELL, Demand())).text


def redact_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels with ``***`` for every value that is a secret by its name or shape."""
    return {
        name: "***" if judge_value(name, value) else redact_text(value)
        for name, value in labels.items()
    }


def redact_environ(
    environ: Mapping[str, str],
    allow: Iterable[str] = (),
    deny: Iterable[str] = (),
    *,
    is_session: bool = False,
    key: ValueKey | None = None,
) -> Iterator[Record]:
    """Yield a record of section ``env`` for each variable.

    A variable that matches `ALLOWED` or `allow`, but not `deny`, has its ``value``; so has one
    whose value has the shape of no secret (`envlock.secrets.plain_values`).  Any other variable,
    and one whose value looks like a secret, has only ``secret = "present"``, and with a `key` the
    keyed ``fingerprint`` of its value.  With `is_session` (on a host), the variables of the session
    are left out.
    """
    allowed, denied = (*ALLOWED, *allow), tuple(deny)
    for name, value in sorted(environ.items()):
        if not name or (is_session and _matches(name, VOLATILE) and not _matches(name, allow)):
            continue
        is_denied = _matches(name, denied)
        shown = not is_denied and (_matches(name, allowed) or bool(plain_shape(name, value)))
        if shown and value and not judge_value(name, value) and redact_text(value) == value:
            yield Record("env", name, {"value": _DEVICE.sub(r"\1-***", value)})
        elif shown and not value:
            yield Record("env", name, {"empty": "true"})
        else:
            fingerprint = key.fingerprint(name, value) if key is not None else ""
            keyed = {"fingerprint": fingerprint} if fingerprint else {}
            yield Record("env", name, {"secret": "present", **keyed})


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def digest_lines(path: str, lines: Iterable[str]) -> str:
    """Return the SHA-256 (hex) of lines of the file at `path` after their secrets were replaced.

    A digest that includes a secret would allow to guess it.
    """
    shown = redact_settings(path, "".join(f"{line}\n" for line in lines)).text
    return hashlib.sha256(to_bytes(shown)).hexdigest()
