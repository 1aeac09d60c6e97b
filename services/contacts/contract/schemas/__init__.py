"""The shapes of what goes into contacts; the gateway and the OpenAPI document use the same."""
