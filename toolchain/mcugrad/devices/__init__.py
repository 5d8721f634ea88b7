"""Where a compiled model runs: this computer, an emulator, a board behind a port."""

from mcugrad.devices.base import Device, DeviceInfo, Statistics, StepResult, Tally, Unit
from mcugrad.devices.host import HostDevice

__all__ = ["Device", "DeviceInfo", "HostDevice", "Statistics", "StepResult", "Tally", "Unit"]
