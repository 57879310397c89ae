"""Hardware data from the kernel and drivers, and GPU and linear algebra libraries."""
