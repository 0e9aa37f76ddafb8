"""Who sent this delivery, and is it what they sent? One declarative verifier for the styles that vendors use, and our own signing.

`STYLES["github"].verify(delivery, secrets, now)` returns a `Verified` or raises `SignatureRefused`, `Stale` or `Malformed`;
nothing that a stranger can put into a request makes it raise anything else.
"""

from hub.core.signing.standard import sign_standard
from hub.core.signing.styles import STYLES, read_verifier
from hub.core.signing.verifier import Ed25519, Verified, Verifier, verify

__all__ = ["STYLES", "Ed25519", "Verified", "Verifier", "read_verifier", "sign_standard", "verify"]
