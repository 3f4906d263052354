"""Resource versions, by which it is known which of two states of an object is the newer one."""


def is_newer(new: str, old: str) -> bool:
    """Compare resource versions as numbers, which Kubernetes promises from 1.35 on and etcd always gave."""
    try:
        return int(new) > int(old)
    except ValueError:
        return True
