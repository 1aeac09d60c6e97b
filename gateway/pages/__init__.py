"""The pages at `/`, rendered on the server and usable without scripts.

They say the same words on the bus as the API and know no rule of their own.
"""

import importlib
import pkgutil

from gateway.pages.layout import blueprint, error_page, redirect_to_page, refusal_page

__all__ = ["blueprint", "error_page", "redirect_to_page", "refusal_page"]

# Each module adds its pages to the blueprint.
for module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{module.name}")
