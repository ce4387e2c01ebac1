"""Which ports a model server may have on the internet: the web's two, and any above 1023 that is not another service's.

Whoever names a port decides who is spoken to, and a server of another protocol may take the lines of a request for
commands. So what is known for something else is refused, as browsers do, though its address be public.
"""

_LOWEST = 1024
_WEB = frozenset({80, 443})
_DATABASES = {1433, 1521, 3306, 5432, 5984, 7687, 9042, *range(27017, 27020), 33060}
_STORES_AND_QUEUES = {2181, 5671, 5672, 6379, 6380, 9092, 9200, 9300, 11211, 26379, 61616}
# Docker, Swarm, etcd, Kubernetes with its kubelets, controllers and scheduler.
_CONTROL_PLANES = {2375, 2376, 2377, 2379, 2380, 6443, 10250, 10255, 10257, 10259}
# NFS, RDP, VNC, WinRM, X11.
_MACHINES = {2049, 3389, 5900, 5985, 5986, 6000}
# Mail, chat, telephony and others to which browsers send nothing either.
_OF_BROWSERS = {1719, 1720, 1723, 3659, 4045, 4190, 5060, 5061, 6566, *range(6665, 6670), 6679, 6697, 10080}
_OTHERS = frozenset(_DATABASES | _STORES_AND_QUEUES | _CONTROL_PLANES | _MACHINES | _OF_BROWSERS)


def is_refused(port: int) -> bool:
    """Whether no model server belongs on that port."""
    return port in _OTHERS or (port < _LOWEST and port not in _WEB)
