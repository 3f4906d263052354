"""The programs that the local cluster and the images are made with: Go, and what is built with it."""
