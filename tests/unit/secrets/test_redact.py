"""Environment variables, arguments and lines without their secrets."""

from __future__ import annotations

import pytest

from envlock.secrets.redact import redact_environ, redact_text

TOKEN = "ghp_" + "a" * 36
UUID = "9221d5d1-b60b-a624-bf14-0a1819cfda3b"


def facts(name, value, **options):
    return [record.facts for record in redact_environ({name: value}, **options)]


def test_only_listed_variables_have_a_value():
    assert facts("LANG", "C.UTF-8") == [{"value": "C.UTF-8"}]
    assert facts("LANG", "") == [{"empty": "true"}]
    assert facts("DB_PASSWORD", "hunter2") == [{"secret": "present"}]
    assert facts("APP_COLOUR", "green") == [{"secret": "present"}]


def test_the_settings_add_and_remove_variables():
    assert facts("APP_COLOUR", "green", allow=["APP_*"]) == [{"value": "green"}]
    assert facts("APP_COLOUR", "green", allow=["APP_*"], deny=["*COLOUR"]) == [
        {"secret": "present"}
    ]
    assert facts("LANG", "C", deny=["LANG"]) == [{"secret": "present"}]


def test_a_listed_variable_with_a_secret_is_hidden():
    assert facts("JAVA_OPTS", f"-Dtoken={TOKEN}") == [{"secret": "present"}]
    assert facts("APP_KEY", TOKEN, allow=["APP_KEY"]) == [{"secret": "present"}]


def test_variables_of_the_session_are_left_out_on_a_host_only():
    assert facts("SSH_CONNECTION", "x", is_session=True) == []
    assert facts("SSH_CONNECTION", "x") == [{"secret": "present"}]
    assert facts("CI", "1", is_session=True, allow=["CI"]) == [{"value": "1"}]


@pytest.mark.parametrize("kind", ["GPU", "MIG"])
def test_the_uuid_of_a_device_is_masked(kind):
    assert facts("NVIDIA_VISIBLE_DEVICES", f"{kind}-{UUID},0") == [{"value": f"{kind}-***,0"}]


def test_records_are_sorted_by_name():
    keys = [record.key for record in redact_environ({"b": "1", "a": "1", "": "1", "C": "1"})]
    assert keys == ["C", "a", "b"]


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("quiet console=ttyS0", "quiet console=ttyS0"),
        ("root=/dev/sda1 luks.password=hunter2 ro", "root=/dev/sda1 luks.password=*** ro"),
        (f"curl -H {TOKEN}", "curl -H ***"),
        ("--api-key a0b1c2d3e4", "--api-key ***"),
    ],
)
def test_arguments_are_redacted(text, redacted):
    assert redact_text(text) == redacted


@pytest.mark.parametrize(
    "name",
    ["LD_LIBRARY_PATH", "LD_PRELOAD", "OMP_NUM_THREADS", "MKL_CBWR", "MKL_NUM_THREADS",
     "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "BLIS_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
     "CUDA_MODULE_LOADING", "CUBLAS_WORKSPACE_CONFIG", "CUDNN_LOGINFO_DBG", "NCCL_IB_HCA",
     "NCCL_SOCKET_IFNAME", "NVIDIA_VISIBLE_DEVICES", "NVIDIA_TF32_OVERRIDE", "ATEN_CPU_CAPABILITY",
     "NPY_DISABLE_CPU_FEATURES", "PYTORCH_CUDA_ALLOC_CONF", "TORCH_NCCL_BLOCKING_WAIT", "UCX_TLS",
     "HSA_OVERRIDE_GFX_VERSION", "HIP_VISIBLE_DEVICES", "RCCL_MSCCL_ENABLE", "GOMP_CPU_AFFINITY"],
)  # fmt: skip
def test_variables_that_affect_numerical_results_are_recorded(name):
    (record,) = redact_environ({name: "1"}, is_session=True)
    assert record.facts == {"value": "1"}


@pytest.mark.parametrize("word", ["x", "a-", "password", "eyJ", "://", "token=", "/"])
def test_a_very_long_word_is_redacted_in_linear_time(word):
    """With a quadratic pattern this would take minutes."""
    assert isinstance(redact_text(word * (400_000 // len(word))), str)
