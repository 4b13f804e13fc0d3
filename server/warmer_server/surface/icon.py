"""Icon of the server: an orange lens."""

from urllib.parse import quote

from mcp.types import Icon

_SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='none' stroke='#e8590c' stroke-width='2'>"
    "<circle cx='7' cy='7' r='5'/><path d='M11 11l4 4'/><circle cx='7' cy='7' r='1'/></svg>"
)
ICON = Icon(src="data:image/svg+xml," + quote(_SVG, safe="='/:"), mime_type="image/svg+xml", sizes=["any"])
