"""Where a compiled model runs: this computer, an emulator, a board behind a port."""

from mcugrad.devices.base import Device, DeviceInfo, Statistics, StepResult, Tally, Unit
from mcugrad.devices.opening import open_device

__all__ = ["Device", "DeviceInfo", "Statistics", "StepResult", "Tally", "Unit", "open_device"]
