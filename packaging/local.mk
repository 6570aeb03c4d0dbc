# What is installed beside the programs, and what a release tarball holds.
