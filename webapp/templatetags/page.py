"""What stands on every page."""

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing from the sprite, hidden from screen readers: words stand beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("icons.svg"), name)


@register.simple_block_tag(takes_context=True)
def breadcrumb(context: Context, content: SafeString) -> SafeString:
    """Where the page is: its place in the navigation, then the links inside the block."""
    return render_to_string("_breadcrumb.html", {"place": context["current_place"], "further": content})
