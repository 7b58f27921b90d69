from . import boston, cifar10, published, wafer

__all__ = ["boston", "cifar10", "published", "wafer"]
