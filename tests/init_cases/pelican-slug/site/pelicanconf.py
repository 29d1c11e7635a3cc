SITENAME = "By title"
DEFAULT_LANG = "en"
