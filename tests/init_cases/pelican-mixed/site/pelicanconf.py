SITENAME = "Mixed"
LOCALE = "pt_BR.UTF-8"
SITEURL = "http://localhost:8000"
