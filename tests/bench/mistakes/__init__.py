"""What people mistype in their first hour, and what Mill says, and when: `make bench-mistakes`."""
