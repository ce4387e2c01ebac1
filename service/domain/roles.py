"""What a key may do."""

from enum import StrEnum


class Role(StrEnum):
    """Each role may do all that the ones after it may."""

    ADMIN = "admin"
    OPERATOR = "operator"
    SUBMITTER = "submitter"
    READER = "reader"

    def includes(self, needed: "Role") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) <= order.index(needed)
