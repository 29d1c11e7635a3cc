SITEURL = "https://pelican.example.net"
