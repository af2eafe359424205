"""GPUs: an inventory through NVML, and leases across all processes of a machine."""
