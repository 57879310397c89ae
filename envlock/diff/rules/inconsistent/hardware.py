"""Rules for drivers, CUDA, kernels and processors that cannot work together."""

from __future__ import annotations

from envlock.diff.drift import ChangeKind
from envlock.diff.rules.rule import Rule
from envlock.model.severity import Severity

CRITICAL, HIGH, MEDIUM, LOW, INFO = Severity

INCONSISTENT_HARDWARE: tuple[Rule, ...] = (
    Rule(
        id="DRIVER-MISMATCH",
        severity=CRITICAL,
        sections=("host.driver",),
        fields=("mismatch",),
        kinds=(ChangeKind.ADDED,),
        why="the loaded NVIDIA module and the user library differ: NVML and CUDA fail",
        next="reboot, or unload and load the nvidia modules",
        source="field: nvidia-container-toolkit #171, #394, #929",
    ),
    Rule(
        id="CUDA-DRIVER",
        severity=CRITICAL,
        why="the driver is too old for the installed CUDA",
        next="upgrade the NVIDIA driver, or use an older CUDA",
        source="NVIDIA, CUDA Compatibility: minor version compatibility",
    ),
    Rule(
        id="CUDA-DRIVER-FORWARD",
        severity=HIGH,
        breaks=True,
        why="the driver is too old for CUDA; a forward compatibility package makes up for it",
        next="upgrade the NVIDIA driver; the package works on data-center GPUs only",
        source="NVIDIA, CUDA Compatibility: forward compatibility, errors 803 and 804",
    ),
    Rule(
        id="FABRIC-MISMATCH",
        severity=CRITICAL,
        why="GPUs behind an NVSwitch need a fabric manager of the driver's version to start",
        next="install nvidia-fabricmanager in the driver's version",
        source="NVIDIA, Fabric Manager user guide",
    ),
    Rule(
        id="CUDA-MIXED",
        severity=HIGH,
        breaks=True,
        sections=("cuda",),
        fields=("mixed",),
        why="parts of one library come from different versions",
        next="reinstall the library in one version",
        source="NVIDIA, cuDNN: sublibrary version mismatch",
    ),
    Rule(
        id="DRIVER-IN-IMAGE",
        severity=HIGH,
        breaks=True,
        why="an image's own driver library hides the one of the host",
        next="remove libcuda and libnvidia libraries from the image",
        source="field: libnvidia-container #266",
    ),
    Rule(
        id="CDI-STALE",
        severity=HIGH,
        breaks=True,
        sections=("host.driver",),
        fields=("stale",),
        kinds=(ChangeKind.ADDED,),
        why="containers get libraries of another driver than the loaded one",
        next="write the specification again with nvidia-ctk cdi generate",
        source="Container Device Interface specification",
    ),
    Rule(
        id="CUDA-REQUIRE",
        severity=HIGH,
        breaks=True,
        why="the driver does not meet what the environment requires: no container starts",
        next="upgrade the driver, or set NVIDIA_DISABLE_REQUIRE if the requirement is wrong",
        source="NVIDIA Container Toolkit, NVIDIA_REQUIRE_* constraints",
    ),
    Rule(
        id="CUDA-REQUIRE-LOW",
        severity=MEDIUM,
        why="the environment accepts drivers that its CUDA cannot run on",
        next="set NVIDIA_REQUIRE_CUDA to the constraint in the message",
        source="NVIDIA Container Toolkit, NVIDIA_REQUIRE_* constraints",
    ),
    Rule(
        id="KERNEL-PENDING",
        severity=MEDIUM,
        why="the package of the running kernel was updated: the next boot starts another build",
        next="reboot",
        source="/proc/version; uname(2)",
    ),
    Rule(
        id="MODULE-PENDING",
        severity=MEDIUM,
        sections=("host.module",),
        fields=("pending", "disk-version", "disk-srcversion"),
        why="a kernel module was updated on disk and not loaded: the next boot changes it",
        next="reboot, or reload the module",
        source="modinfo(8); Documentation/ABI/stable/sysfs-module",
    ),
    Rule(
        id="DKMS-NOT-BUILT",
        severity=MEDIUM,
        why="a DKMS module was built for other kernels, not for the running one",
        next="install the headers of the running kernel, and run dkms autoinstall",
        source="dkms(8)",
    ),
    Rule(
        id="CPU-BASELINE",
        severity=CRITICAL,
        why="the distribution is built for a higher x86-64 level than the processor has",
        next="use a newer processor, or a distribution that supports this one",
        source="release notes of the distributions; x86-64 psABI",
    ),
)
