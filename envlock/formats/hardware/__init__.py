"""What the kernel and drivers say of hardware."""
