"""In which language a page is spoken to, as it says itself."""

from django.utils import translation


def language(name: str) -> str:
    """The language of this name, English where there is none."""
    try:
        return translation.get_supported_language_variant(name)
    except LookupError:
        return "en"
