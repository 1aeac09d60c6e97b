"""The shapes of what goes into contacts and of what comes out; the gateway and the OpenAPI document use the same."""
