import os
import sys
sys.path.append(os.curdir)
from pelicanconf import *

SITEURL = 'https://pelican.golden.example'
RELATIVE_URLS = False
