"""Which tenant a room or a phone number leads to: found before the tenant is known, so in the public schema."""
