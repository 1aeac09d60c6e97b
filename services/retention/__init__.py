"""Why a record is still here, and how it goes: completely, everywhere, with a receipt.

*owns*: requests for no more contact, erasures with their receipts and certificates, what the privacy officer decided,
holds, the register of destruction.

*answers*: opening and reading such requests, erasing (by the owner or whoever the duty has passed to), how far an
erasure is, holds, the register, and what waits for whom.

*announces*: ErasureCompleted.

*listens to*: contacts (individuals registered, handed over, frozen, erased), access (users), audit
(checkpoints).
"""
