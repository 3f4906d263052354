"""What should exist in the cluster, and what has to be written for it.

- `owner`: whose the objects are, and how they are found.
- `pods`: a service or task → its pod template; `environment`: the variables in it, secrets by reference.
- `desired`: resource → the complete list of objects.
- `plan`: that list and what is there → what to apply, to delete, to renew, and what must wait.
"""
